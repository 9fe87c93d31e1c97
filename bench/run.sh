#!/usr/bin/env bash
# Prints what a warm call costs in Rust, C and Go, in executed instructions, and fails when Go costs more
# than 1.15 times Rust, or an event of a batch in Go more than 1.01 times. Called by `./build.sh bench`, which sets what it needs:
#   HYPERLIGHT_JS_LIBRARY  the library
#   HYPERLIGHT_VMRUN       internal/vmrun, built
#   CARGO_TARGET_DIR       where cargo builds
#   HYPERLIGHT_JS_RUNTIME_PATH  the guest, built
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cargo build --quiet --locked --release -p bench-rust
cp "$CARGO_TARGET_DIR/release/bench-rust" "$out/rust"
cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra -o "$out/c" c/main.c "$HYPERLIGHT_JS_LIBRARY" \
  -Wl,-rpath,"$(dirname "$HYPERLIGHT_JS_LIBRARY")"
CGO_ENABLED=0 go build -o "$out/go" ./go

# One virtual nanosecond is one executed instruction there, so the figures are the same from run to run.
for language in rust c go; do
  HYPERLIGHT_VM=always "$HYPERLIGHT_VMRUN" --icount "$out/$language" >>"$out/figures"
done

awk '
  { instructions[$1, $2] = $3 }
  END {
    print "| warm call | Rust | C | Go | Go / Rust | Go, in a batch of 100 | batch / Rust |"
    print "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for (i = 1; i <= 2; i++) {
      gc = i == 1 ? "gc=false" : "gc=true"
      rust = instructions["rust", gc]; c = instructions["c", gc]; go = instructions["go", gc]
      batch = instructions["batch", gc]
      if (!rust || !c || !go || !batch) { print "a figure is missing"; exit 1 }
      printf "| %s | %d | %d | %d | %.3f | %d | %.3f |\n", gc, rust, c, go, go / rust, batch, batch / rust
      if (go / rust > 1.15) failed = "Go costs more than 1.15 times Rust"
      if (batch / rust > 1.01) failed = "an event of a batch costs more than 1.01 times Rust"
    }
    if (failed) print failed
    exit failed != ""
  }' "$out/figures"
