# shellcheck shell=bash
# The table of upstream's tests (hyperlight/parity/PARITY.md), made from a run of the Go tests that stand for them.

# with_table FLAGS...: runs the tests and compares the table; with -write, writes it. The tests' own failures are shown.
with_table() {
  CGO_ENABLED=0 go -C "$ROOT" build -o "$CACHE/bin/parity" ./internal/parity
  in_machines 0 "${GO_TEST[@]}" -json ./hyperlight/parity/... |
    "$CACHE/bin/parity" "$@" "$(crate_folder hyperlight-js)" "$(crate_folder hyperlight-js-common)"
}

# crate_folder NAME: where cargo has put the source of an upstream crate, of the version that is locked.
crate_folder() {
  local version folder
  version=$(awk -F '"' -v name="$1" '/^name = / { this = $2 } /^version = / && this == name { print $2 }' "$ROOT/Cargo.lock")
  for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$1-$version"; do
    if [[ -d $folder ]]; then
      echo "$folder"
      return
    fi
  done
  die "cargo has no source of $1 $version"
}
