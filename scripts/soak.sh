# shellcheck shell=bash
# The tests that try to break the binding (hyperlight/soak and some of their neighbours): a quick size for
# `./build.sh test`, and the full one with a page about it.

readonly COUNTING=count_kills # the feature of a library that counts its signals, for tests

# With a collection at each call of the ABI: not what measures cost, or would only take long.
readonly GC_STORM_SKIPS='Cost|Alloc|TestTenThousand'
readonly GC_STORM_QUICK='^Test(UseAfter|Close|Forgotten|HostFunctions|Snapshot|Batch|Unload)'

soak_quick_without_cgo() {
  section "soak, quick: everything in hyperlight/soak" in_emulation 0 "${GO_TEST[@]}" ./hyperlight/soak
  section "soak, quick: signals that are counted" count_kills
}

soak_quick_with_cgo() {
  section "soak, quick: signals, with cgo" in_emulation 1 "${GO_TEST[@]}" -run '^TestSignals$' ./hyperlight/soak
  section "soak, quick: callers, race detector" in_emulation 1 "${GO_TEST[@]}" -race -run '^TestHostileCallersAtOnce$' ./hyperlight/soak
  section "soak, quick: a collection at each call of the ABI" gc_storm -run "$GC_STORM_QUICK"
}

# in_emulation CGO GO_TEST...: some tests of hyperlight/soak change the machine, which must not be the host.
in_emulation() { HYPERLIGHT_VM=always in_machines "$@"; }

# count_kills TEST_ARGS...: with a library that counts the signals it sends, and those that hit no guest.
count_kills() {
  SHIM_FEATURES=$COUNTING # not offered to users, so use_features does not know it
  with_cache_lock make_library
  in_emulation 0 "${GO_TEST_SLOW[@]}" -v -tags "$COUNTING" -run '^TestNoStrayKills$' ./hyperlight/soak "$@"
}

# gc_storm FLAGS...: memory that was collected too early is overwritten.
gc_storm() {
  GODEBUG=clobberfree=1 in_machines 0 "${GO_TEST_SLOW[@]}" -tags hyperlight_gcstorm -skip "$GC_STORM_SKIPS" "$@" ./hyperlight
}

# --- The full size

readonly GO_SOAK=(go test -count=1 -timeout 90m -v)
readonly SOAK_LONG='^Test(Leaks|HostileGuests)$' # these two take as long as all others

soak() {
  local page=$CACHE/log/soak.txt
  begin_sections
  export HYPERLIGHT_VM_TIMEOUT=90m
  SOAK_LOGS=$CACHE/log/soak
  rm -rf "$SOAK_LOGS"
  mkdir -p "$SOAK_LOGS"
  lanes soak_first soak_second
  soak_page >"$page"
  cat "$page"
  say "this page is $page; what the tests printed is in $SOAK_LOGS"
  summary
}

soak_first() {
  section "leaks and guests" noted 1 in_emulation 0 "${GO_SOAK[@]}" -run "$SOAK_LONG" ./hyperlight/soak -args -soak
  section "a server for five minutes" noted 2 in_machines 0 "${GO_TEST[@]}" -v -run '^TestServer$' ./hyperlight -args -serve=5m
  section "a collection at each call of the ABI" noted 3 gc_storm
}

soak_second() {
  section "everything else in hyperlight/soak" noted 4 in_emulation 0 "${GO_SOAK[@]}" -skip "$SOAK_LONG" ./hyperlight/soak -args -soak
  section "signals that are counted" noted 5 count_kills -args -soak
  section "signals, with cgo" noted 6 in_emulation 1 "${GO_SOAK[@]}" -run '^TestSignals$' ./hyperlight/soak -args -soak
  section "callers and orders, with the race detector" noted 7 \
    in_emulation 1 "${GO_TEST_SLOW[@]}" -race -v -run '^Test(HostileCallersAtOnce|OrderAtOnce)$' ./hyperlight/soak -args -soak
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
  cat "$SOAK_LOGS"/* | sed -n 's/.*figure: \(Test.*\t.*\t.*\)$/\1/p' |
    awk -F '\t' '$1 != test { test = $1; print test } { printf "    %-60s %s\n", $2, $3 }'
}
