# shellcheck shell=bash
# The examples: running one, and testing them. Nothing lists them; an example is a folder below examples/ with
#
#   *.go, Makefile or hello.py  the program, in Go, C or Python
#   README.md                   whose first command is the one that runs it
#   ports                       if it is a server: the ports that it listens on, like 8080,8081
#   prepare                     if it needs something made first: a script, which runs on the host, in the folder
#   hosttest/                   tests that run on the host; all others run where guests do

# What the tests of examples need besides: functions of packages.sh.
readonly EXAMPLE_WANTS=(want_chromium want_make want_python)

# example_names: all of them, like hello and polyglot/python.
example_names() {
  local name
  (cd "$ROOT/examples" && find . -name README.md -not -path '*/testdata/*' -not -path '*/node_modules/*' -printf '%P\n') |
    sed 's/\/*README\.md$//' | LC_ALL=C sort | while read -r name; do
    [[ -z $(example_kind "$name") ]] || echo "$name"
  done
}

# example_kind NAME: go, c or python; nothing for a folder that is no example.
example_kind() {
  local folder=$ROOT/examples/$1
  if [[ -z $1 ]]; then
    return
  elif compgen -G "$folder/*.go" >/dev/null; then
    echo go
  elif [[ -f $folder/Makefile ]]; then
    echo c
  elif [[ -f $folder/hello.py ]]; then
    echo python
  fi
}

# want_for_example NAME: what running it needs besides.
want_for_example() {
  case $(example_kind "$1") in
    c) want_make ;;
    python) want_python ;;
  esac
}

# check_examples NAME...
check_examples() {
  local name
  for name in "$@"; do
    [[ -n $(example_kind "$name") ]] ||
      die "there is no example '$name'; there are: $(example_names | paste -sd ' ')"
  done
}

# prepare_example NAME
prepare_example() {
  [[ ! -x $ROOT/examples/$1/prepare ]] || (cd "$ROOT/examples/$1" && ./prepare) >&2
}

# prepare_examples: all of them, for checks that read every Go file.
prepare_examples() {
  local name
  for name in $(example_names); do prepare_example "$name"; done
}

# run_example NAME ARGS...: the paths in the arguments are the caller's, so this changes no folder.
run_example() {
  local name=$1 folder=$ROOT/examples/$1 program=$CACHE/bin/examples/$1
  shift
  prepare_example "$name"
  if [[ -f $folder/ports ]]; then
    export HYPERLIGHT_VM_PORTS=${HYPERLIGHT_VM_PORTS:-$(<"$folder/ports")}
  fi
  case $(example_kind "$name") in
    go)
      build_go_program "examples/$name" "examples/$name"
      exec "$CACHE/bin/vmrun" "$program" "$@"
      ;;
    c)
      make -C "$folder" OUT="$program" >&2
      exec "$CACHE/bin/vmrun" "$program/hello" "$@"
      ;;
    python) exec "$CACHE/bin/vmrun" --file "$folder" python3 -B "$folder/hello.py" "$@" ;;
  esac
}

# test_examples NAME...: all of them if none is named.
test_examples() {
  local name
  EXAMPLES=("$@")
  ((${#EXAMPLES[@]} > 0)) || mapfile -t EXAMPLES < <(example_names)
  set_test_environment
  begin_sections
  for name in "${EXAMPLES[@]}"; do
    [[ ! -x examples/$name/prepare ]] || section "$name: what it needs" prepare_example "$name"
  done
  lanes lane_inside lane_outside
  summary
}

# The examples' own tests, where guests run.
lane_inside() {
  local name
  for name in "${EXAMPLES[@]}"; do
    case $(example_kind "$name") in
      go) section "$name: in micro-VMs" test_example_inside "$name" ;;
      python) section "$name: in micro-VMs" test_python "$name" ;;
    esac
  done
}

# What talks to an example from the host, or compiles it there.
lane_outside() {
  local name
  for name in "${EXAMPLES[@]}"; do
    [[ ! -d examples/$name/hosttest ]] || section "$name: from the host" test_example_outside "$name"
  done
}

test_example_inside() {
  local packages
  cd "examples/$1"
  mapfile -t packages < <(guest_packages ./...)
  in_machines 0 "${GO_TEST[@]}" -p 1 "${packages[@]}"
}

test_example_outside() {
  local packages
  cd "examples/$1"
  mapfile -t packages < <(host_packages ./...)
  CGO_ENABLED=0 "${GO_TEST[@]}" -p 1 "${packages[@]}"
}

# -B: no compiled files in the source tree, where guests run on the host.
test_python() {
  cd "examples/$1"
  HYPERLIGHT_VM_TIMEOUT=10m "$CACHE/bin/vmrun" python3 -B -m unittest -v
}
