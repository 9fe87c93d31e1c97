# shellcheck shell=bash
# The native library and the guest inside it. Both are kept under a hash of what they are made from, so
# nothing is built twice, and switching branches, toolchains, features or runtimes back and forth costs
# nothing. features.sh and runtime.sh hold what the two options ask for.
#
#   guest/HASH/hyperlight-js-runtime           upstream's guest, an ELF image
#   lib/HASH/libhyperlight_js_capi.so          the library, with that guest embedded; beside it a link by its soname
#   lib/abi-N/libhyperlight_js_capi.so         the one in use: where Go's loader looks
#   target/                                    cargo's own

readonly LIBRARY_NAME=libhyperlight_js_capi.so
readonly SHIM_CRATE=hyperlight-js-capi

# Raise it when the way the guest is built changes, in this file or in toolchain.sh.
readonly GUEST_RECIPE=1

abi_version() {
  local version
  version=$(sed -n 's/^#define HLJS_ABI_VERSION \([0-9]*\).*/\1/p' "$ROOT/capi/hyperlight_js.h")
  echo "${version:?capi/hyperlight_js.h defines no HLJS_ABI_VERSION}"
}

# soname: the name inside the library, by which programs that are linked with it look for it.
soname() { echo "$LIBRARY_NAME.$(abi_version)"; }

published_library() { echo "$CACHE/lib/abi-$(abi_version)/$LIBRARY_NAME"; }

# Upstream's crates by name, version and checksum: what else the guest is made of, the runtime's crate pins
# in a lock file of its own. The crates of this repository have no checksum.
upstream_crates() {
  awk -F '"' '
    /^name = / { name = $2 }
    /^version = / { version = $2 }
    /^checksum = / && name ~ /hyperlight/ { print name, version, $2 }' "$ROOT/Cargo.lock"
}

guest_hash() {
  {
    echo "recipe $GUEST_RECIPE, trace_guest: $(grep -o trace_guest <<<"$SHIM_FEATURES" || true)"
    upstream_crates
    rustc -vV
    clang --version
    rust-lld -flavor gnu --version 2>/dev/null || rust-lld --version
  } | hash_of_input
}

# library_hash GUEST
library_hash() {
  {
    echo "guest $1, features $SHIM_FEATURES"
    declare -f set_cargo_arguments edit_upstream
    rustc -vV
    cc --version | first_line
    cd "$ROOT" || exit
    find rust-shim Cargo.toml Cargo.lock -type f -not -path '*/target/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | hash_of_input
}

# build_library: makes the library that was asked for the one in use.
build_library() {
  make_library
  publish_library
}

# make_library: builds the library unless it is there, and names it in HYPERLIGHT_JS_LIBRARY.
make_library() {
  local guest library
  choose_guest
  guest=$(basename "$(dirname "$HYPERLIGHT_JS_RUNTIME_PATH")")
  library=$(library_hash "$guest")
  if [[ ! -f $CACHE/lib/$library/$LIBRARY_NAME || ! -f $HYPERLIGHT_JS_RUNTIME_PATH ]]; then
    compile_library "$guest"
    if [[ $(library_hash "$guest") != "$library" ]]; then
      say "the sources have changed during the build; building again"
      make_library
      return
    fi
    publish "$CARGO_TARGET_DIR/release/$LIBRARY_NAME" "$CACHE/lib/$library/$LIBRARY_NAME" 755
    ln -sfn "$LIBRARY_NAME" "$CACHE/lib/$library/$(soname)"
  fi
  # Not the published one, which another checkout's build may replace while this one's tests run.
  export HYPERLIGHT_JS_LIBRARY=$CACHE/lib/$library/$LIBRARY_NAME
  touch "$(dirname "$HYPERLIGHT_JS_LIBRARY")" "$(dirname "$HYPERLIGHT_JS_RUNTIME_PATH")" # in use, so not old
  forget_old "$CACHE/lib" '[0-9a-f]*'
  forget_old "$CACHE/guest" 'custom-*'
}

# choose_guest: names the guest to embed, for every later cargo call too (clippy, tests): with another value,
# cargo would build upstream anew. rust-shim/build.rs wants to know whether it is upstream's own.
choose_guest() {
  export HYPERLIGHT_JS_RUNTIME_PATH HLJS_RUNTIME_IS_UPSTREAM=yes
  if [[ -n $CUSTOM_RUNTIME ]]; then
    unset HLJS_RUNTIME_IS_UPSTREAM
    take_custom_runtime
  else
    HYPERLIGHT_JS_RUNTIME_PATH=$CACHE/guest/$(guest_hash)/hyperlight-js-runtime
  fi
}

# The first build lets upstream's build script make the guest, in the same cargo call: a build of the guest
# alone would compile its tools twice and leave a core idle. Later builds embed the copy.
compile_library() {
  local guest=$1
  claim_target
  if [[ -f $HYPERLIGHT_JS_RUNTIME_PATH ]]; then
    say "building the library"
    cargo_with_progress
    return
  fi
  say "building upstream's guest and the library; the first time this takes 6 to 10 minutes on two cores"
  forget_other_guest "$guest"
  (
    unset HYPERLIGHT_JS_RUNTIME_PATH
    cargo_with_progress
  )
  check_guest "$(built_guest)"
  publish "$(built_guest)" "$HYPERLIGHT_JS_RUNTIME_PATH"
}

guest_target() { echo "$CARGO_TARGET_DIR/hyperlight-js-runtime"; }

built_guest() { echo "$(guest_target)/x86_64-hyperlight-none/release/hyperlight-js-runtime"; }

# with_target COMMAND...: for every use of cargo's target folder, which all checkouts on this machine share.
with_target() { with_cache_lock run_in_target "$@"; }

run_in_target() {
  claim_target
  "$@"
}

# Checkouts share what cargo has compiled of the dependencies. But cargo identifies this repository's own
# crates by their paths inside it and judges them by file times: it would take one checkout's for another's.
# So these are forgotten whenever another checkout has its turn.
claim_target() { claim "$CARGO_TARGET_DIR/checkout" "$ROOT" forget_own_crates; }

# claim MARKER OWNER COMMAND...: runs COMMAND if OWNER is not the one that had the marker last.
claim() {
  local marker=$1 owner=$2
  shift 2
  [[ $(cat "$marker" 2>/dev/null) != "$owner" ]] || return 0
  "$@"
  mkdir -p "$(dirname "$marker")"
  echo "$owner" >"$marker"
}

forget_own_crates() {
  local crate arguments=()
  for crate in $(crates_of "$ROOT/Cargo.toml"); do arguments+=(-p "$crate"); done
  forget_compiled "${arguments[@]}"
}

# forget_compiled -p CRATE...
forget_compiled() {
  [[ ! -d $CARGO_TARGET_DIR/release ]] ||
    logged cargo-clean cargo clean --manifest-path "$ROOT/Cargo.toml" --release "$@"
}

# crates_of MANIFEST: the members of that workspace.
crates_of() {
  cargo metadata --manifest-path "$1" --no-deps --format-version 1 |
    grep -o '"name":"[^"]*","version"' | cut -d '"' -f 4
}

# cargo does not know that clang or the linker changed. What is in its target folder is used again only
# when it was made (or begun, if it was interrupted) from the same inputs.
forget_other_guest() {
  claim "$CARGO_TARGET_DIR/guest-inputs" "$1" forget_guest
}

forget_guest() {
  rm -rf "$(guest_target)"
  forget_compiled -p hyperlight-js
}

# A guest that the host would refuse only at run time ("unsupported x86_64 relocation 6") is refused here.
check_guest() {
  [[ -f $1 ]] || die "upstream's build made no guest at $1"
  [[ $(readelf -rW "$1") != *R_X86_64_GLOB_DAT* ]] ||
    die "the guest has a GLOB_DAT relocation, which the host refuses; the linker is $(command -v rust-lld)"
}

# cargo_with_progress [COMMAND ARGS...]: cargo build, or another command of cargo's that compiles the library. Its output
# goes to a log; meanwhile a line every ten seconds tells that it is alive and how far it is.
cargo_with_progress() {
  local log=$CACHE/log/build.log start=$SECONDS status=0 reporter
  set_cargo_arguments
  mkdir -p "$CACHE/log"
  report_progress "$log" "$start" 9>&- &
  reporter=$!
  # shellcheck disable=SC2064 # the value of now
  trap "kill $reporter 2>/dev/null || true" EXIT
  cargo "${@:-build}" "${CARGO_ARGUMENTS[@]}" -p "$SHIM_CRATE" >"$log" 2>&1 9>&- || status=$?
  kill "$reporter" 2>/dev/null || true
  wait "$reporter" 2>/dev/null || true
  trap - EXIT
  if ((status != 0)); then
    show_log_end "$log"
    die "the build failed after $(elapsed_since "$start")"
  fi
  say "built in $(elapsed_since "$start")"
}

report_progress() {
  local log=$1 start=$2 pause=
  # The sleep must not outlive this: it would keep a pipe on stderr open.
  trap '[[ -z $pause ]] || kill "$pause" 2>/dev/null; exit' TERM
  # $$ is build.sh itself, here too: this ends with it, even if it is killed.
  while kill -0 $$ 2>/dev/null; do
    sleep 10 >/dev/null 2>&1 &
    pause=$!
    wait "$pause"
    say "  $(elapsed_since "$start"): $(progress "$log")"
  done
}

# Upstream's build script hides the guest's build from the log, but not from the file system: rustc leaves a
# .d file for each crate it has begun.
progress() {
  local log=$1 compiled guest=0
  compiled=$(grep -c '^ *Compiling ' "$log" 2>/dev/null || true)
  if [[ -z ${HYPERLIGHT_JS_RUNTIME_PATH:-} ]]; then
    guest=$(find "$(guest_target)" -path '*/deps/*.d' 2>/dev/null | wc -l)
  fi
  if ((${compiled:-0} == 0)); then
    echo "downloading crates ($(grep -c '^ *Downloaded ' "$log" 2>/dev/null || true))"
  elif ((guest == 0)); then
    echo "$compiled crates compiled, the last is $(grep '^ *Compiling ' "$log" | tail -n 1 | awk '{print $2}')"
  else
    echo "$compiled crates compiled, and $guest for the guest"
  fi
}

# publish_library: makes it the one that Go's loader and the embedding build find.
publish_library() {
  local target
  for target in "$(published_library)" "$ROOT/capi/embedded/$LIBRARY_NAME"; do
    cmp -s "$HYPERLIGHT_JS_LIBRARY" "$target" || publish "$HYPERLIGHT_JS_LIBRARY" "$target" 755
  done
  ln -sfn "$LIBRARY_NAME" "$(dirname "$(published_library)")/$(soname)"
}

# forget_old FOLDER NAMES: each change of the sources leaves a library or a guest of some megabytes; the newest few
# are worth keeping.
forget_old() {
  local old
  find "$1" -mindepth 1 -maxdepth 1 -type d -name "$2" -not -name 'abi-*' -printf '%T@ %p\n' |
    sort -rn | tail -n +13 | cut -d' ' -f2- | while IFS= read -r old; do
    rm -rf "$old"
  done
}
