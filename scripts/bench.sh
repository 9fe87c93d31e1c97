# shellcheck shell=bash
# The benchmarks: bench/report builds and runs the programs of bench/, and judges their figures. Emulated, these are
# executed instructions, which every machine counts alike; with HYPERLIGHT_VM=never they are times.

# bench quick|full: measures, and writes figures, tables and plots. Fails when a target is missed.
bench() {
  local results=$ROOT/bench/results new pages=--pages
  if [[ $(vm_mode) == never ]]; then
    results=$results/time pages=
  fi
  use_bench_programs
  new=$BENCH_PROGRAMS/$1.json
  with_target report build --size "$1"
  report collect --size "$1" --out "$new"
  mkdir -p "$results"
  if [[ -f $results/$1.json ]]; then
    say "compared with $results/$1.json:"
    report compare "$results/$1.json" "$new" || say "going on, since these are the figures to be"
  fi
  cp "$new" "$results/$1.json"
  report table --results "$results" --size "$1" ${pages:+"$pages"}
  say "written to $results"
  if [[ $(vm_mode) == never ]]; then
    report targets "$new" || say "targets are for instructions; these are times, of this machine as it was just now"
  else
    report targets "$new"
  fi
}

# check_figures: measures, and fails on a missed target, or on what got slower than the committed results say.
check_figures() {
  local new
  use_bench_programs
  new=$BENCH_PROGRAMS/quick.json
  with_target report build --size quick
  HYPERLIGHT_VM=always report collect --size quick --out "$new"
  local status=0
  report compare bench/results/quick.json "$new" || status=1
  report targets "$new" || status=1
  return "$status"
}

# Other checkouts share the cache, so each run has a folder of its own.
use_bench_programs() {
  export HYPERLIGHT_VMRUN=$CACHE/bin/vmrun BENCH_PROGRAMS
  BENCH_PROGRAMS=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX")
  # shellcheck disable=SC2064 # the value of now
  trap "rm -rf '$BENCH_PROGRAMS'" EXIT
  CGO_ENABLED=0 go -C "$ROOT/bench/report" build -buildvcs=false -o "$BENCH_PROGRAMS/report" .
}

# report VERB ARGS...
report() {
  local verb=$1
  shift
  case $verb in
    build | collect | table) "$BENCH_PROGRAMS/report" "$verb" --bench "$ROOT/bench" "$@" ;;
    *) "$BENCH_PROGRAMS/report" "$verb" "$@" ;;
  esac
}
