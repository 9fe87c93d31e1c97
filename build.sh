#!/usr/bin/env bash
# Builds the native library, runs a handler, runs the tests: the one entry point of this repository.
# It sets up what it needs by itself and says what and why. `./build.sh help` lists the verbs.
#
# Each file in scripts/ holds one concern; this one only decides which of them a verb needs.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly ROOT

# shellcheck source=scripts/common.sh
source "$ROOT/scripts/common.sh"
# shellcheck source=scripts/packages.sh
source "$ROOT/scripts/packages.sh"
# shellcheck source=scripts/toolchain.sh
source "$ROOT/scripts/toolchain.sh"
# shellcheck source=scripts/features.sh
source "$ROOT/scripts/features.sh"
# shellcheck source=scripts/runtime.sh
source "$ROOT/scripts/runtime.sh"
# shellcheck source=scripts/library.sh
source "$ROOT/scripts/library.sh"
# shellcheck source=scripts/install.sh
source "$ROOT/scripts/install.sh"
# shellcheck source=scripts/abi.sh
source "$ROOT/scripts/abi.sh"
# shellcheck source=scripts/licenses.sh
source "$ROOT/scripts/licenses.sh"
# shellcheck source=scripts/release.sh
source "$ROOT/scripts/release.sh"
# shellcheck source=scripts/machine.sh
source "$ROOT/scripts/machine.sh"
# shellcheck source=scripts/sections.sh
source "$ROOT/scripts/sections.sh"
# shellcheck source=scripts/test.sh
source "$ROOT/scripts/test.sh"
# shellcheck source=scripts/bench.sh
source "$ROOT/scripts/bench.sh"
# shellcheck source=scripts/examples.sh
source "$ROOT/scripts/examples.sh"
# shellcheck source=scripts/soak.sh
source "$ROOT/scripts/soak.sh"
# shellcheck source=scripts/fuzz.sh
source "$ROOT/scripts/fuzz.sh"
# shellcheck source=scripts/unprotected.sh
source "$ROOT/scripts/unprotected.sh"
# shellcheck source=scripts/parity.sh
source "$ROOT/scripts/parity.sh"
# shellcheck source=scripts/doctor.sh
source "$ROOT/scripts/doctor.sh"
# shellcheck source=scripts/clean.sh
source "$ROOT/scripts/clean.sh"

usage() {
  cat <<'TEXT'
Usage: ./build.sh [--features LIST] [--runtime PATH] [VERB]

  (no verb)                   build the native library, libhyperlight_js_capi.so
  run [FLAGS] FILE.js [EVENT] run a handler in a micro-VM; its result is the only thing on stdout.
                              EVENT is JSON text, @file or - (stdin); `run --help` lists the flags
  example NAME [ARGS...]      run an example (a folder of examples/) where guests run; the ports that a server
                              listens on are passed on from 127.0.0.1
  test                        build, then every check and test; the exit code tells
  test GO_TEST_ARGS...        build, then only the Go tests, with these arguments (flags of `go test`,
                              package patterns that start with ./): ./build.sh test -run TestLoad ./hyperlight
  test-examples [NAME...]     build, then the tests of the examples, or of those named
  soak                        the tests that try to break it, in full, and a page about them: most of an hour
  fuzz [TIME]                 build, then run each fuzz target for TIME (default: 1m), as many at once as there are
                              CPUs, and then all property tests at once for TIME
  unprotected [NAME...]       takes one protection out after the other (scripts/unprotected), and passes if
                              the tests fail then
  parity                      write the table of upstream's tests again, hyperlight/parity/PARITY.md
  bench [quick|full]          what this costs in Rust, C, cgo and Go, in executed instructions (quick: 6 minutes);
                              with HYPERLIGHT_VM=never in time, on the host's own hypervisor
  install [--prefix DIR]      build, then install library, header and pkg-config file (default: /usr/local);
                              --destdir DIR puts another folder in front
  uninstall [--prefix DIR]    remove them
  release [--version V]       build the library for older systems, and make in dist/ what a release has; with V, only if
                              that is the version of the sources
  doctor                      what is installed, which hypervisor works, what will be used, what is wrong
  clean                       remove what this script has built (the cache); packages stay installed
  help                        this text

Options, which come before the verb and say what the library is built with. The last build's library is
the one that Go programs find:
  --features LIST             optional features, separated by commas (default: none):
                                crashdump    core dumps of guests, on request and when one crashes
                                gdb          guests can wait for a debugger
                                print_debug  upstream prints what it does to stdout
                                trace_guest  guests record spans for upstream's tracing
  --runtime PATH              the guest runtime to embed instead of upstream's: an ELF file for
                              x86_64-hyperlight-none, or the folder of a crate, which is then
                              compiled (example: hyperlight/parity/testdata/extended-runtime)

The first build takes 6 to 10 minutes on two cores (upstream's guest and about 350 crates); later ones
less than a minute. Missing packages are installed with apt-get, as root or with sudo.

Environment:
  HYPERLIGHT_JS_CACHE         where everything built is kept (default: ~/.cache/hyperlight-js-go,
                              or below XDG_CACHE_HOME)
  HYPERLIGHT_JS_TOOLCHAIN     rustup, debian or auto (default): which Rust builds it
  HYPERLIGHT_JS_FEATURES      like --features, which is stronger
  HYPERLIGHT_VM               auto (default): the emulated machine only where no guest boots on the
                              host's own hypervisor; always; never
TEXT
}

# Everything that is checked or installed before a build, so that a machine which cannot be set up
# hears of all its problems at once and before it has waited for a compiler.
set_up() {
  check_platform
  check_go
  want_c_compiler
  want_clang
  local extra
  for extra in "$@"; do "$extra"; done
  choose_toolchain
  install_wanted_packages
  activate_toolchain
}

verb_build() {
  with_cache_lock set_up
  with_cache_lock build_library
  say "library: $(published_library)"
}

verb_install() {
  use_install_arguments install "$@"
  check_install_folder
  with_cache_lock set_up
  with_cache_lock build_library
  install_library
}

verb_uninstall() {
  use_install_arguments uninstall "$@"
  uninstall_library
}

# Features are for the library of who builds it.
verb_release() {
  [[ -z $SHIM_FEATURES && -z $CUSTOM_RUNTIME ]] || wrong_usage "'release' takes no options before it"
  case ${1-} in
    '') (($# == 0)) || wrong_usage "'release' takes --version V, and not an empty text" ;;
    --version=*) check_release_version "${1#*=}" ;;
    --version)
      (($# == 2)) || wrong_usage "'release --version' needs a version, like $(version)"
      check_release_version "$2"
      ;;
    *) wrong_usage "'release' takes --version V, and not '$1'" ;;
  esac
  with_cache_lock set_up want_machine want_release_tools
  with_cache_lock make_release
}

verb_run() {
  with_cache_lock set_up want_machine
  with_cache_lock build_library
  with_cache_lock prepare_machine
  run_handler "$@"
}

verb_example() {
  (($# > 0)) || die "'example' needs a name; there are: $(example_names | paste -sd ' ')"
  check_examples "$1"
  want_for_example "$1"
  with_cache_lock set_up want_machine
  with_cache_lock build_library
  with_cache_lock prepare_machine
  run_example "$@"
}

verb_test_examples() {
  check_examples "$@"
  with_cache_lock set_up want_machine "${EXAMPLE_WANTS[@]}"
  with_cache_lock build_library
  with_cache_lock prepare_machine
  test_examples "$@"
}

verb_bench() {
  local size=${1:-quick}
  [[ $# -lt 2 && ($size == quick || $size == full) ]] || wrong_usage "'bench' takes quick or full"
  [[ $(vm_mode) == never ]] || HYPERLIGHT_VM=always # a hypervisor of the host's own counts nothing
  local wanted=(want_machine)
  [[ $size == quick ]] || wanted+=(want_node)
  with_cache_lock set_up "${wanted[@]}"
  with_cache_lock build_library
  with_cache_lock prepare_machine
  bench "$size"
}

verb_soak() {
  with_cache_lock set_up want_emulator
  with_cache_lock build_library
  HYPERLIGHT_VM=always with_cache_lock prepare_machine
  set_test_environment
  soak
}

# The library that is made here is the one with all protections, and the others are used by nobody else.
verb_unprotected() {
  [[ -z $SHIM_FEATURES && -z $CUSTOM_RUNTIME ]] || wrong_usage "'unprotected' takes no options"
  check_unprotected "$@"
  with_cache_lock set_up want_machine
  with_cache_lock make_library
  with_cache_lock prepare_machine
  test_unprotected "$@"
}

verb_parity() {
  with_cache_lock set_up want_machine
  with_cache_lock build_library
  with_cache_lock prepare_machine
  write_table
}

verb_fuzz() {
  (($# < 2)) || wrong_usage "'fuzz' takes one argument, a time"
  use_fuzz_time "${1:-1m}"
  with_cache_lock set_up want_machine
  with_cache_lock build_library
  with_cache_lock prepare_machine
  fuzz_everything
}

verb_test() {
  with_cache_lock set_up want_machine want_emulator want_cxx_compiler want_valgrind want_shellcheck want_pkg_config want_node
  if (($# > 0)); then
    with_cache_lock build_library
    with_cache_lock prepare_machine
    set_test_environment
    test_go_only "$@"
  else
    test_everything
  fi
}

main() {
  use_features "${HYPERLIGHT_JS_FEATURES:-}"
  while [[ ${1-} == --features* || ${1-} == --runtime* ]]; do
    case $1 in
      --features=*) use_features "${1#*=}" ;;
      --runtime=*) use_runtime "${1#*=}" ;;
      --features | --runtime)
        (($# > 1)) || wrong_usage "'$1' needs a value"
        "use_${1#--}" "$2"
        shift
        ;;
      *) wrong_usage "there is no option '$1'" ;;
    esac
    shift
  done
  run_verb "$@"
}

run_verb() {
  local verb=${1-build}
  (($# == 0)) || shift
  case $verb in
    build)
      no_arguments build "$@"
      verb_build
      ;;
    run) verb_run "$@" ;;
    install) verb_install "$@" ;;
    uninstall) verb_uninstall "$@" ;;
    release) verb_release "$@" ;;
    test) verb_test "$@" ;;
    example) verb_example "$@" ;;
    test-examples) verb_test_examples "$@" ;;
    soak)
      no_arguments soak "$@"
      verb_soak
      ;;
    fuzz) verb_fuzz "$@" ;;
    unprotected) verb_unprotected "$@" ;;
    parity)
      no_arguments parity "$@"
      verb_parity
      ;;
    bench) verb_bench "$@" ;;
    doctor)
      no_arguments doctor "$@"
      doctor
      ;;
    clean)
      no_arguments clean "$@"
      with_cache_lock clean
      ;;
    help | -h | --help) usage ;;
    *)
      wrong_usage "there is no verb '$verb'"
      ;;
  esac
}

no_arguments() {
  (($# == 1)) || wrong_usage "'$1' takes no arguments"
}

wrong_usage() {
  say "$1"
  usage >&2
  exit 2
}

main "$@"
