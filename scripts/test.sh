# shellcheck shell=bash
# All checks and tests.

# For each package. They take some minutes in the emulated machine, on a busy host several times that;
# the limit is for one that hangs.
readonly GO_TEST=(go test -count=1 -timeout 40m)
readonly GO_TEST_SLOW=(go test -count=1 -timeout 60m)

# What `./build.sh test ... -args ...` passes to the test programs.
TEST_ARGS=()

# The crate of a guest runtime that the tests embed.
readonly EXTENDED_RUNTIME=hyperlight/parity/testdata/extended-runtime

test_everything() {
  begin_sections
  section "library, runner and kernel" with_cache_lock prepare_tests
  if (($(failed_sections) > 0)); then
    summary
    return
  fi
  # The sections ran in other shells; this finds what they built and sets the variables here.
  build_library
  set_test_environment
  section "shell scripts: syntax, shellcheck" check_shell
  section "shell scripts: what build.sh refuses" check_refusals
  section "workflows: actionlint" "$CACHE/bin/actionlint"
  section "Go: gofmt" check_gofmt
  section "Go: vet" in_each_module go vet ./...
  section "Go: staticcheck" check_staticcheck
  section "Go: other platforms compile" check_other_platforms
  section "Rust: fmt" check_rust_fmt
  section "Rust: clippy" with_target check_clippy
  section "Rust: tests, header unchanged when generated again" with_target check_rust_tests
  section "library: exports the functions of the header, soname" check_library
  section "library: install, pkg-config, uninstall" check_install
  section "library: the archive of a release" check_archive
  section "Go on the host: what its hypervisor can do" test_host
  forget_records
  # A machine has one CPU, so two machines take hardly longer than one.
  lanes lane_without_cgo lane_with_cgo
  section "the table of upstream's tests, unchanged" with_records
  section "bench quick" check_figures
  summary
}

lane_without_cgo() {
  section "Go in micro-VMs, CGO_ENABLED=0" test_guests_recorded
  section "Go in micro-VMs: the embedded library" test_embedding
  section "Go in micro-VMs: the other modules" test_other_modules
  section "Node.js in micro-VMs: the benchmark" test_node
  section "the library with core dumps" test_crashdump
  section "a guest runtime with native modules of its own" test_custom_runtime
  soak_quick_without_cgo
}

lane_with_cgo() {
  section "Go on the host: the runner" test_runner
  section "Go on the host: the benchmarks' report" test_report
  section "Go on the host: the C ABI" test_abi "${GO_TEST[@]}"
  section "Go in micro-VMs, CGO_ENABLED=1" test_guests_with_cgo
  section "Go in micro-VMs, race detector" test_guests_with_races
  soak_quick_with_cgo
}

set_test_environment() {
  export HYPERLIGHT_VMRUN=$CACHE/bin/vmrun  # for tests that start a machine themselves
  export HYPERLIGHT_VM_FILES=$ROOT/README.md # for tests of what it shows
}

prepare_tests() {
  build_library
  prepare_machine
  have_kernel || fetch_kernel # the runner's own tests and the figures need it, whatever boots guests here
  build_tools
  install_npm_packages
  prepare_examples
}

# What the other modules' tests use of npm: each folder below bench/ that has a lock file says what.
install_npm_packages() {
  local lock
  find "$ROOT/bench" -name package-lock.json -not -path '*/node_modules/*' | while read -r lock; do
    logged npm npm --prefix "${lock%/*}" ci --ignore-scripts --no-audit --no-fund 9>&-
  done
}

# test_go_only ARGS...: the Go tests alone, with the user's arguments. Patterns start with ./, as in Go's own help.
test_go_only() {
  local flags=() patterns=()
  while (($# > 0)) && [[ $1 != -args ]]; do
    if [[ $1 == ./* ]]; then patterns+=("$1"); else flags+=("$1"); fi
    shift
  done
  TEST_ARGS=("$@") # -args, and what follows it, come last
  ((${#patterns[@]} > 0)) || patterns=(./...)
  begin_sections
  section "Go on the host" test_packages host "${CGO_ENABLED:-0}" "${patterns[*]}" "${GO_TEST[@]}" "${flags[@]}"
  section "Go in micro-VMs" test_packages guest "${CGO_ENABLED:-0}" "${patterns[*]}" "${GO_TEST[@]}" "${flags[@]}"
  summary
}

# --- Sections

check_shell() {
  local scripts=(build.sh scripts/*.sh docs/*.sh .ci/run)
  local script
  for script in "${scripts[@]}"; do bash -n "$script"; done
  find examples -name prepare -not -path '*/node_modules/*' -exec shellcheck {} +
  # Through build.sh (-x), and judging what it sources too (-a): alone, each file would seem to set
  # variables that nobody reads.
  shellcheck -x -a build.sh .ci/run docs/architecture.sh
}

check_refusals() {
  local version old=$CACHE/log/runtime-of-another-version
  version=$(locked_version hyperlight-host)
  LC_ALL=C sed "s/${version//./\\.}/0.16.0/g" "$HYPERLIGHT_JS_RUNTIME_PATH" >"$old"
  refuses "the library has no feature 'crash'; it has: crashdump, gdb, " --features crashdump,crash
  refuses "'--runtime' needs a value" --runtime
  refuses "'install --prefix' needs an absolute path, and not 'here'" install --prefix here
  refuses "'uninstall' takes --prefix DIR and --destdir DIR, and not 'all'" uninstall all
  refuses "this is version $(version), and not 0.0.0" release --version 0.0.0
  refuses "'release' takes --version V, and not 'now'" release now
  refuses "nothing is installed in $ROOT/nowhere" uninstall --prefix "$ROOT/nowhere"
  refuses "there is no guest runtime $ROOT/nowhere" --runtime "$ROOT/nowhere"
  refuses "README.md is no ELF file for x86-64" --runtime "$ROOT/README.md"
  refuses "the guest has a GLOB_DAT relocation" --runtime "$BASH"
  refuses "there is no example 'nothing'; there are: embedded hello " example nothing
  refuses "'example' needs a name; there are: embedded hello " example
  refuses "was built with hyperlight-guest-bin 0.16.0, and the host is $version" --runtime "$old"
}

# refuses TEXT ARGS...: build.sh fails with these arguments, and says TEXT.
refuses() {
  local text=$1 said
  shift
  echo "$*"
  if said=$("$ROOT/build.sh" "$@" 2>&1) || [[ $said != *"$text"* ]]; then
    printf 'it should have failed and said "%s"; it said:\n%s\n' "$text" "$said"
    return 1
  fi
}

check_gofmt() {
  local files
  files=$(gofmt -l .)
  [[ -z $files ]] && return
  printf 'gofmt would change:\n%s\n' "$files"
  return 1
}

# The Go modules of this repository that have packages: the tools are only named in theirs.
go_modules() {
  find . -name go.mod -not -path './internal/tools/*' -not -path '*/node_modules/*' -printf '%h\n' | LC_ALL=C sort
}

# in_each_module COMMAND...: tries every module before it fails.
in_each_module() {
  local folder failed=0
  for folder in $(go_modules); do
    (cd "$folder" && "$@") || {
      echo "in $folder: $* failed"
      failed=1
    }
  done
  return "$failed"
}

# The checkers of Go code and of workflows, at the versions that internal/tools/go.mod names.
build_tools() {
  GOBIN=$CACHE/bin go -C "$ROOT/internal/tools" install -buildvcs=false tool
  CGO_ENABLED=0 go -C "$ROOT" build -buildvcs=false -o "$CACHE/bin/parity" ./internal/parity
}

check_staticcheck() { in_each_module "$CACHE/bin/staticcheck" ./...; }

# Elsewhere than on linux/amd64 the module compiles, and answers "unsupported platform".
check_other_platforms() {
  local platform
  for platform in darwin/arm64 darwin/amd64 windows/amd64 linux/arm64; do
    echo "$platform"
    CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go build ./...
    CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go vet ./...
  done
}

check_rust_fmt() {
  local manifest
  for manifest in Cargo.toml "$EXTENDED_RUNTIME/Cargo.toml"; do
    cargo fmt --manifest-path "$ROOT/$manifest" --all --check
  done
}

# With the features asked for, and with all, those for tests too. --no-deps: the edited copies of upstream's crates
# are not ours to judge.
check_clippy() {
  local features
  for features in "$SHIM_FEATURES" "$(known_features | paste -sd ,)"; do
    use_features "$features"
    echo "features: ${SHIM_FEATURES:-none}"
    set_cargo_arguments
    cargo clippy "${CARGO_ARGUMENTS[@]}" --no-deps --all-targets -- -D warnings
  done
  cargo clippy "${CARGO_ARGUMENTS[@]}" --features "$SHIM_CRATE/count_kills" --no-deps --all-targets -- -D warnings
}

check_rust_tests() {
  set_cargo_arguments
  cargo test "${CARGO_ARGUMENTS[@]}"
  cargo test "${CARGO_ARGUMENTS[@]}" --features "$SHIM_CRATE/count_kills" kill_count
}

check_library() {
  check_exports "$HYPERLIGHT_JS_LIBRARY"
  check_soname "$HYPERLIGHT_JS_LIBRARY"
}

# What is installed works where it is and where it is moved to; uninstalling leaves no file.
check_install() {
  local folder
  folder=$(mktemp -d)
  use_install_arguments install --prefix /usr --destdir "$folder/first"
  install_library
  check_installed "$folder/first/usr"
  mv "$folder/first" "$folder/second"
  check_installed "$folder/second/usr"
  use_install_arguments uninstall --prefix /usr --destdir "$folder/second"
  uninstall_library
  [[ -z $(find "$folder" -not -type d) ]]
  rm -rf "$folder"
}

# The library of a release takes as long as a first build; how it is packed is the same with any other.
check_archive() {
  local folder name wanted
  folder=$(mktemp -d) name=$(release_name)
  make_archive "$HYPERLIGHT_JS_LIBRARY" "$folder/$name.tar.gz"
  tar -xzf "$folder/$name.tar.gz" -C "$folder"
  check_installed "$folder/$name"
  wanted="LICENSE
THIRD-PARTY-LICENSES.txt
include/hyperlight_js.h
lib/$LIBRARY_NAME
lib/$(soname)
lib/$(versioned_library)
lib/pkgconfig/$PKG_CONFIG_NAME.pc"
  diff <(cd "$folder/$name" && find . -not -type d -printf '%P\n' | LC_ALL=C sort) - <<<"$wanted"
  grep 'QuickJS\|^rquickjs' "$folder/$name/THIRD-PARTY-LICENSES.txt"
  find "$folder/$name" -exec touch -h {} +
  pack "$folder/$name" "$folder/again.tar.gz"
  cmp "$folder/$name.tar.gz" "$folder/again.tar.gz"
  rm -rf "$folder"
}

# The C ABI's own tests need a C compiler and no guest, so they stay on the host; the machine has no compiler. So do
# those in a folder hosttest of an example.
readonly HOST_PACKAGES='/\(capi\|internal\|hosttest\)\(/\|$\)'
host_packages() { go list "$@" | grep "$HOST_PACKAGES" || true; }
guest_packages() { go list "$@" | grep -v "$HOST_PACKAGES" || true; }

# test_packages WHERE CGO PATTERNS GO_TEST...: the packages of the main module that run there.
test_packages() {
  local where=$1 cgo=$2 packages=() patterns
  read -ra patterns <<<"$3"
  shift 3
  mapfile -t packages < <("${where}_packages" "${patterns[@]}")
  if ((${#packages[@]} == 0)); then
    echo "no packages"
    return
  fi
  if [[ $where == host ]]; then
    CGO_ENABLED=$cgo "$@" "${packages[@]}" "${TEST_ARGS[@]}"
  else
    in_machines "$cgo" "$@" -p 1 "${packages[@]}" "${TEST_ARGS[@]}" # -p 1: two machines would share the host's CPUs
  fi
}

# in_machines CGO go test ARGS...: with vmrun. The machine has one CPU; with GOMAXPROCS threads of Go take turns on it
# and meet each other everywhere, which is what the tests of concurrency want. Vmrun's time limit ends a
# machine that hangs, which Go's own, inside, cannot.
in_machines() {
  CGO_ENABLED=$1 GOMAXPROCS=4 HYPERLIGHT_VM_TIMEOUT=${HYPERLIGHT_VM_TIMEOUT:-65m} "${@:2:2}" -exec "$CACHE/bin/vmrun" "${@:4}"
}

test_abi() {
  local tested='./capi/... ./internal/...'
  test_packages host 0 "$tested" "$@"
  test_packages host 1 "$tested" "$@"
  test_packages host 1 "$tested" "$@" -race
}

# test_guests CGO GO_TEST...
test_guests() {
  local cgo=$1 packages
  shift
  # soak.sh and examples.sh know what to run of these.
  mapfile -t packages < <(guest_packages ./... | grep -v -e '/soak$' -e '/examples/')
  in_machines "$cgo" "$@" -p 1 "${packages[@]}"
}

# Upstream's tests. The others run with cgo in the next section: there is no race detector without it.
test_guests_with_cgo() { in_machines 1 "${GO_TEST[@]}" ./hyperlight/parity; }

# Upstream's tests use one goroutine at a time.
test_guests_with_races() {
  local packages
  mapfile -t packages < <(guest_packages ./... | grep -v -e '/parity$' -e '/soak$' -e '/examples/')
  in_machines 1 "${GO_TEST_SLOW[@]}" -race -p 1 "${packages[@]}"
}

test_guests_recorded() { recorded guests test_guests 0 "${GO_TEST[@]}"; }

# A program with this tag carries the library that was just built.
test_embedding() {
  in_machines 0 "${GO_TEST[@]}" -tags hyperlight_embed -run TestLibrary/embedded ./hyperlight
}

# The host may have no hypervisor, or one that boots no guest; then that is what a program must hear.
test_host() { HYPERLIGHT_VM=never CGO_ENABLED=0 "${GO_TEST[@]}" -v -run '^TestProbe$' ./hyperlight; }

# Both sections build a library beside the one in use.
test_crashdump() {
  use_features crashdump
  with_cache_lock make_library
  CGO_ENABLED=0 "${GO_TEST[@]}" ./capi
  HYPERLIGHT_TEST_FEATURES=crashdump in_machines 0 "${GO_TEST[@]}" -run '^(TestLibrary|TestCrashdump)$' ./hyperlight
}

test_custom_runtime() {
  local hash
  use_runtime "$ROOT/$EXTENDED_RUNTIME"
  with_cache_lock make_library
  hash=$(sha256sum <"$HYPERLIGHT_JS_RUNTIME_PATH" | cut -d ' ' -f 1)
  HYPERLIGHT_TEST_RUNTIME="custom, sha256 $hash" recorded custom-runtime in_machines 0 "${GO_TEST[@]}" -p 1 \
    -run '^(TestLibrary|TestNativeModules|TestRuntime)$' ./hyperlight ./hyperlight/parity
}

test_runner() { (cd internal/vmrun && CGO_ENABLED=0 "${GO_TEST[@]}" ./...); }

test_report() { (cd bench/report && CGO_ENABLED=0 "${GO_TEST[@]}" ./...); }

# What needs more than the main module may depend on. The runner and the report of bench/ run on the host; examples.sh
# has the examples, and bench/cgo no tests.
test_other_modules() {
  local folder failed=0
  for folder in $(go_modules | grep -v -e '^\.$' -e '^\./internal/' -e '^\./examples/' -e '^\./bench/\(report\|cgo\)$'); do
    (cd "$folder" && in_machines 0 "${GO_TEST[@]}" -p 1 ./...) || failed=1
  done
  return "$failed"
}

test_node() {
  cd bench/node
  HYPERLIGHT_VM_TIMEOUT=10m "$CACHE/bin/vmrun" node --test
}
