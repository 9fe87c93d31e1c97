# shellcheck shell=bash
# Fuzzing: every Go fuzz target of the main module for some time, and then the property tests of the shim, together for as
# long. Seeds alone run with all other tests.

# use_fuzz_time TIME: a duration as Go writes them, of hours, minutes and seconds.
use_fuzz_time() {
  [[ $1 =~ ^(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?$ ]] || wrong_usage "'$1' is no time like 30s, 10m or 1h30m"
  FUZZ_SECONDS=$((10#${BASH_REMATCH[2]:-0} * 3600 + 10#${BASH_REMATCH[4]:-0} * 60 + 10#${BASH_REMATCH[6]:-0}))
  ((FUZZ_SECONDS > 0)) || wrong_usage "'$1' is no time to fuzz for"
}

fuzz_everything() {
  set_test_environment
  begin_sections
  section "Go: fuzz targets, $FUZZ_SECONDS s each" fuzz_go
  section "Rust: property tests, all at once for $FUZZ_SECONDS s" with_target fuzz_rust
  say "Go's build cache keeps what is interesting for the next time; \`go clean -fuzzcache\` forgets it"
  summary
}

# fuzz_targets: lines of PACKAGE TARGET.
fuzz_targets() {
  CGO_ENABLED=0 go test -list '^Fuzz' ./... |
    awk '/^Fuzz/ { names[++count] = $1 } $1 == "ok" { for (i = 1; i <= count; i++) print $2, names[i]; count = 0 }'
}

# As many at a time as there are CPUs, one worker each.
fuzz_go() {
  local package target job targets jobs=() failed=0
  targets=$(fuzz_targets)
  echo "$(wc -l <<<"$targets") targets"
  while read -r package target; do
    if ((${#jobs[@]} == $(nproc))); then
      wait "${jobs[0]}" || failed=1
      jobs=("${jobs[@]:1}")
    fi
    fuzz_target "$package" "$target" </dev/null &
    jobs+=($!)
  done <<<"$targets"
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  return "$failed"
}

# fuzz_target PACKAGE TARGET: one line for it, and what it says when it fails. Targets that need guests are in
# package soak; snapshots are not loaded without a hypervisor, though it need not run a guest. Go minimizes each
# interesting input for a minute if one lets it.
fuzz_target() {
  local log=$CACHE/log/fuzz-$2.log status=0 where=()
  if [[ $1 == */soak ]] || { [[ $2 == *Snapshot* ]] && ! hypervisor_device >/dev/null; }; then
    where=(-exec "$CACHE/bin/vmrun")
  fi
  mkdir -p "$CACHE/log"
  CGO_ENABLED=0 HYPERLIGHT_VM_TIMEOUT=$((FUZZ_SECONDS + 600))s go test -run '^$' -fuzz "^$2\$" -fuzztime "${FUZZ_SECONDS}s" \
    -fuzzminimizetime 1s -parallel 1 "${where[@]}" "$1" >"$log" 2>&1 || status=$?
  if ((status == 0)) || only_ran_out "$log"; then
    printf '%-28s ok      %s\n' "$2" "$(fuzz_counts "$log")"
    return
  fi
  printf '%-28s FAILED  %s\n' "$2" "$(fuzz_counts "$log")"
  show_log_end "$log"
  sed -n "s,^ *Failing input written to \(.*\),$2: commit ${1#"$(go list -m)"/}/\1 with what mends it,p" "$log"
  return 1
}

# only_ran_out LOG: at the end of -fuzztime, Go before 1.27 may take its own deadline for a failure of the target:
# https://go.dev/issue/75804. It says nothing else then.
only_ran_out() {
  local said
  said=$(awk '/^--- FAIL: / { failed = 1; next } failed && /^FAIL/ { exit } failed' "$1" | tr -s '[:space:]' ' ')
  [[ $said == ' context deadline exceeded ' ]]
}

# fuzz_counts LOG: how far it came.
fuzz_counts() {
  local counts
  counts=$(sed -n 's/.*\(execs: [0-9]*\) ([^)]*), \(new interesting: [0-9]*\).*/\1, \2/p' "$1" | tail -n 1)
  echo "${counts:-seeds only}"
}

# A thread for each property: their cases are drawn blindly, so the last of them are worth no more than the first, and a
# turn for each would take hours. Each says how many cases it had.
fuzz_rust() {
  set_cargo_arguments
  HLJS_FUZZ_SECONDS=$FUZZ_SECONDS cargo test "${CARGO_ARGUMENTS[@]}" fuzz_ -- --show-output --test-threads 99
}
