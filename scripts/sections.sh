# shellcheck shell=bash
# Sections: named parts of the tests. Every section runs, whatever the ones before found; the summary names those
# that failed. A section runs in a shell of its own with `set -e`, so its first failing command fails it.

# begin_sections: forgets the sections before. RESULTS has a line for each that has ended: ok or FAILED, how long
# it took, and its title. It is a file, because lanes are other processes.
begin_sections() {
  SECTIONS_START=$SECONDS
  mkdir -p "$CACHE/log"
  RESULTS=$(mktemp "$CACHE/log/results.XXXXXX")
}

# section TITLE COMMAND...
section() {
  local title=$1 start=$SECONDS status output=/dev/stderr
  shift
  if [[ -n ${LANE-} ]]; then
    output=$(mktemp "$CACHE/log/section.XXXXXX")
    say "begins: $title"
  else
    printf '\n=== %s\n' "$title" >&2
  fi
  # Not `if ( ... )`: bash would ignore `set -e` inside.
  set +e
  (
    set -e
    cd "$ROOT"
    if [[ -n ${LANE-} ]]; then "$@" >"$output" 2>&1; else "$@"; fi
  )
  status=$?
  set -e
  ended "$title" "$status" "$(elapsed_since "$start")" "$output"
}

# ended TITLE STATUS TIME OUTPUT: in a lane it shows what the section printed, whole, so that lanes do not mix.
ended() {
  local word=ok
  (($2 == 0)) || word=FAILED
  {
    flock 8
    if [[ -n ${LANE-} ]]; then
      printf '\n=== %s\n' "$1"
      cat "$4"
      rm -f "$4"
    fi
    printf -- '--- %s: %s (%s)\n' "$word" "$1" "$3"
    note_section "$word" "$1" "$3"
  } >&2 8>>"$RESULTS"
}

# note_section ok|FAILED TITLE TIME: for the summary.
note_section() { printf '%s\t%s\t%s\n' "$1" "$3" "$2" >>"$RESULTS"; }

# lanes LANE...: functions that run sections. Lanes run at the same time, each one's sections one after the other.
lanes() {
  local lane processes=() process
  set -m # each lane is a process group, which can be ended as a whole
  for lane in "$@"; do
    (LANE=$lane && "$lane") </dev/null &
    processes+=("$!")
  done
  set +m
  # shellcheck disable=SC2064 # the processes of now
  trap "kill -TERM -- ${processes[*]/#/-} 2>/dev/null || true; exit 130" INT TERM HUP
  for process in "${processes[@]}"; do
    wait "$process" || note_section FAILED "a lane that ended early" 0m00s
  done
  trap - INT TERM HUP
}

failed_sections() { grep -c '^FAILED' "$RESULTS" || true; }

summary() {
  local failed
  failed=$(failed_sections)
  printf '\n=== summary: %d sections in %s, %d failed\n' \
    "$(wc -l <"$RESULTS")" "$(elapsed_since "$SECTIONS_START")" "$failed" >&2
  sed -n 's/^FAILED\t[^\t]*\t/FAILED: /p' "$RESULTS" >&2
  rm -f "$RESULTS"
  if ((failed > 0)); then
    echo FAIL
    exit 1
  fi
  echo PASS
}
