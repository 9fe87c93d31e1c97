# shellcheck shell=bash
# What every other file here uses: messages, problems, the cache and its lock. No set-up, no building.

CACHE=${HYPERLIGHT_JS_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/hyperlight-js-go}
[[ $CACHE == /* ]] || CACHE=$PWD/$CACHE
# The Go loader and the emulated machine look into the same cache.
export HYPERLIGHT_JS_CACHE=$CACHE

# stdout belongs to results (of a handler, of go test), so all that is said goes to stderr.
say() { printf '[build] %s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# READ_ONLY is set by doctor: then nothing is downloaded or installed.
READ_ONLY=

# PROBLEMS holds what keeps this machine from being set up; each entry says how to get what is missing.
PROBLEMS=()

problem() { PROBLEMS+=("$1"); }

report_problems() {
  ((${#PROBLEMS[@]} == 0)) && return
  say "this machine cannot be set up yet. Missing:"
  local entry
  for entry in "${PROBLEMS[@]}"; do printf '  - %s\n' "$entry" >&2; done
  exit 1
}

# Reads all of its input, other than `head -n 1` and `grep -q`: with pipefail, a writer that nobody reads
# to the end is a failed pipe.
first_line() { sed -n 1p; }

# at_least A B: version A is B or newer.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | first_line) == "$2" ]]; }

# hash_of_input: a short name for what is on stdin.
hash_of_input() { sha256sum | cut -c 1-16; }

# publish FILE TARGET: TARGET appears whole or not at all, whatever interrupts this.
publish() {
  local temporary
  mkdir -p "$(dirname "$2")"
  temporary=$(mktemp "$(dirname "$2")/.publish.XXXXXX")
  cp "$1" "$temporary"
  chmod "${3:-644}" "$temporary"
  mv -f "$temporary" "$2"
}

# write_if_changed FILE: what is on stdin. A file that would stay the same keeps its time, by which cargo judges it.
write_if_changed() {
  cat >"$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv -f "$1.new" "$1"; fi
}

# with_cache_lock COMMAND...: builds that share a cache take turns. The lock is held through descriptor 9
# and not through a file's existence, so an interrupted build leaves nothing to clear away. What COMMAND
# sets stays set, because it runs in this shell.
with_cache_lock() {
  # Without flock this is no Linux, and the set-up is about to say so.
  if ! command -v flock >/dev/null; then
    "$@"
    return
  fi
  { mkdir -p "$CACHE" && [[ -w $CACHE ]]; } 2>/dev/null ||
    die "cannot write to the cache, $CACHE; HYPERLIGHT_JS_CACHE can name another folder"
  exec 9>>"$CACHE/lock"
  if ! flock -n 9; then
    say "another build.sh is working in $CACHE; waiting for it"
    flock 9
  fi
  "$@"
  exec 9>&-
}

# logged NAME COMMAND...: COMMAND's output goes to a log file, whose end is shown when it fails.
logged() {
  local log=$CACHE/log/$1.log status=0
  shift
  mkdir -p "$CACHE/log"
  "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || show_log_end "$log"
  return "$status"
}

show_log_end() {
  say "the last lines of $1:"
  tail -n "${2:-40}" "$1" | sed 's/^/    /' >&2
}

elapsed_since() { printf '%dm%02ds' $(((SECONDS - $1) / 60)) $(((SECONDS - $1) % 60)); }

check_platform() {
  local system machine
  system=$(uname -s) machine=$(uname -m)
  [[ $system == Linux ]] ||
    problem "Linux: this is $system, and the guests need Linux's KVM or its emulation; use a Linux machine or VM"
  [[ $machine == x86_64 ]] ||
    problem "an x86-64 CPU: this is $machine, and upstream's guest is built for x86-64 only; use an x86-64 machine or VM"
  [[ $system != Linux || $(ldd --version 2>&1) =~ (GLIBC|GNU libc) ]] ||
    problem "glibc: the library is built for it and for no other C library; use a distribution like Debian or Ubuntu"
}

# The go directive of the main module is the oldest Go that will do.
check_go() {
  local needed have
  needed=$(sed -n 's/^go //p' "$ROOT/go.mod")
  if ! command -v go >/dev/null; then
    problem "Go $needed or newer: https://go.dev/dl/ (unpack it and put its bin folder on PATH)"
    return
  fi
  have=$(GOTOOLCHAIN=local go env GOVERSION)
  at_least "${have#go}" "$needed" ||
    problem "Go $needed or newer: $(command -v go) is ${have#go}; https://go.dev/dl/"
}
