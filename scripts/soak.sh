# shellcheck shell=bash
# The tests that try to break the binding (hyperlight/soak and some of their neighbours): a quick size for
# `./build.sh test`, and the full one with a page about it.

readonly COUNTING=count_kills # the feature of a library that counts its signals, for tests
# What a collection at each call of the ABI is quick with, and what is left out where it would only take long.
readonly GC_STORM_QUICK='^Test(UseAfter|Close|Forgotten|HostFunctions|Snapshot|Batch|Unload)'

soak_quick_without_cgo() {
  section "soak, quick: hyperlight/soak" in_machines 0 "${GO_TEST[@]}" ./hyperlight/soak
  section "soak, quick: signals that are counted" count_kills
}

soak_quick_with_cgo() {
  section "soak, quick: signals with cgo" in_machines 1 "${GO_TEST[@]}" -run '^TestSignals$' ./hyperlight/soak
  section "soak, quick: callers, race detector" in_machines 1 "${GO_TEST[@]}" -race -run '^TestHostileCallers$' ./hyperlight/soak
  section "soak, quick: a collection at each call" gc_storm -run "$GC_STORM_QUICK"
}

# count_kills TEST_ARGS...: with a library that counts the signals it sends, and those that hit no guest.
count_kills() {
  use_features "$COUNTING"
  with_cache_lock make_library
  in_machines 0 "${GO_TEST_SLOW[@]}" -v -tags "$COUNTING" -run '^TestNoStrayKills$' ./hyperlight/soak "$@"
}

# gc_storm FLAGS...: with a collection around and during each call of the ABI.
gc_storm() {
  in_machines 0 "${GO_TEST_SLOW[@]}" -tags hyperlight_gcstorm "$@" ./hyperlight
}

# --- The full size

soak() {
  local page=$CACHE/log/soak.txt
  begin_sections
  SOAK_LOGS=$(mktemp -d "$CACHE/log/soak.XXXXXX")
  lanes soak_without_cgo soak_with_cgo
  soak_page >"$page"
  cat "$page"
  say "this page is $page"
  rm -r "$SOAK_LOGS"
  summary
}

soak_without_cgo() {
  section "everything in hyperlight/soak" noted 1 in_machines 0 "${GO_TEST_SLOW[@]}" -v ./hyperlight/soak -args -soak
  section "signals that are counted" noted 2 count_kills -args -soak
}

soak_with_cgo() {
  section "signals, with cgo" noted 3 in_machines 1 "${GO_TEST_SLOW[@]}" -v -run '^TestSignals$' ./hyperlight/soak -args -soak
  section "callers and orders, with the race detector" noted 4 \
    in_machines 1 "${GO_TEST_SLOW[@]}" -race -v -run '^Test(HostileCallers|Order)$' ./hyperlight/soak -args -soak
  section "a collection at each call of the ABI" noted 5 gc_storm
  section "a server for five minutes" noted 6 in_machines 0 "${GO_TEST[@]}" -v -run '^TestServer$' ./hyperlight -args -serve=5m
}

# noted NUMBER COMMAND...: keeps what it prints, for the page.
noted() {
  local log=$SOAK_LOGS/$1
  shift
  "$@" 2>&1 | tee "$log"
}

# soak_page: what was run, how it ended, and the figures, in one page.
soak_page() {
  local status time title
  printf 'Soak of %s, %s, Linux %s, %s CPUs\n\n' \
    "$(git -C "$ROOT" describe --always --dirty 2>/dev/null || echo 'no commit')" "$(date -u '+%Y-%m-%d')" "$(uname -r)" "$(nproc)"
  while IFS=$'\t' read -r status time title; do
    printf '%-6s  %7s  %s\n' "$status" "$time" "$title"
  done <"$RESULTS"
  echo
  cat "$SOAK_LOGS"/* | sed -n 's/.*figure: \(Test[^:]*\): \(.*\): \(.*\)$/\1\t\2\t\3/p' |
    awk -F '\t' '$1 != test { test = $1; print test } { printf "    %-60s %s\n", $2, $3 }'
}
