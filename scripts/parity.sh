# shellcheck shell=bash
# The table of upstream's tests (hyperlight/parity/PARITY.md), made from what the Go tests that stand for them
# said. These run in two parts, since some need a guest runtime of their own; each part is recorded.

# One checkout's records do not mix with another's.
records() { echo "$CACHE/log/records/$(hash_of_input <<<"$ROOT")"; }

forget_records() {
  rm -rf "$(records)"
  mkdir -p "$(records)"
}

# recorded NAME GO_TEST...: shows what `go test` would show, and keeps the results.
recorded() {
  local name=$1
  shift
  "$@" -json | "$CACHE/bin/parity" -record "$(records)/$name.json"
}

# with_records FLAGS...: compares the table with what was recorded; with -write, writes it.
with_records() {
  cat "$(records)"/*.json |
    "$CACHE/bin/parity" "$@" "$(upstream_folder hyperlight-js)" "$(upstream_folder hyperlight-js-common)" >/dev/null
}

write_table() {
  build_tools
  set_test_environment
  forget_records
  test_guests_recorded
  test_custom_runtime
  with_records -write
}
