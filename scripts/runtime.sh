# shellcheck shell=bash
# A guest runtime of the user's own: upstream's crate hyperlight-js-runtime with more native modules and
# globals. It comes as the ELF file, or as the folder of its crate, which is then compiled the way
# upstream's build script compiles its own.
#
#   guest/custom-HASH/hyperlight-js-runtime      a copy of each that was embedded
#   toolchain/cargo-hyperlight-VERSION/          the cargo subcommand that compiles guests, by toolchain.sh

# What --runtime names, as an absolute path; empty for upstream's.
CUSTOM_RUNTIME=

use_runtime() {
  [[ -n $1 ]] || die "--runtime needs the path of an ELF file, or of the folder of a crate"
  CUSTOM_RUNTIME=$(realpath -e -- "$1" 2>/dev/null) || die "there is no guest runtime $1"
}

# take_custom_runtime: checks it, keeps a copy, and names that in HYPERLIGHT_JS_RUNTIME_PATH.
take_custom_runtime() {
  local file=$CUSTOM_RUNTIME
  if [[ -d $file ]]; then
    compile_runtime "$file"
    file=$(compiled_runtime)
  fi
  check_runtime "$file"
  HYPERLIGHT_JS_RUNTIME_PATH=$CACHE/guest/custom-$(hash_of_input <"$file")/hyperlight-js-runtime
  [[ -f $HYPERLIGHT_JS_RUNTIME_PATH ]] || publish "$file" "$HYPERLIGHT_JS_RUNTIME_PATH"
}

# check_runtime FILE: refuses what the host would refuse only when it boots.
check_runtime() {
  local header version host
  header=$(LC_ALL=C readelf -hW "$1" 2>/dev/null) || header=
  [[ $header == *ELF64* && $header == *X86-64* ]] ||
    die "$1 is no ELF file for x86-64; a runtime is built for the target x86_64-hyperlight-none"
  version=$(LC_ALL=C readelf -p .note.hyperlight-version "$1" 2>/dev/null | sed -n 's/.*\] *\([0-9][0-9.]*\)$/\1/p')
  host=$(locked_version hyperlight-host)
  [[ -z $version || $version == "$host" ]] ||
    die "$1 was built with hyperlight-guest-bin $version, and the host is $host; the versions must be the same"
  check_guest "$1"
}

# The folder of the crate, and of the workspace that it may be a member of, are the user's. What cargo
# compiles is beside what it has compiled for upstream's guest, of which nearly all is used again.
compile_runtime() {
  local flags
  install_cargo_hyperlight
  forget_other_guest "$(guest_hash)"
  claim "$(guest_target)/runtime" "$1" forget_runtime "$1"
  # These are upstream's own, to the letter: with others, cargo would compile QuickJS anew.
  flags="-I$(upstream_folder hyperlight-js-runtime)/include -D__wasi__=1 -D_POSIX_MONOTONIC_CLOCK"
  say "compiling the guest runtime in $1"
  logged runtime \
    env -C "$1" PATH="$PATH:$(cargo_hyperlight)/bin" HYPERLIGHT_CFLAGS="$flags" CARGO_TARGET_DIR="$(guest_target)" \
    cargo hyperlight build --release --message-format json-render-diagnostics 9>&- ||
    die "the guest runtime does not compile"
}

# forget_runtime FOLDER: cargo must not take another folder's crate of the same name for this one. `cargo clean`
# does not know the target, which is described in a sysroot of cargo-hyperlight's.
forget_runtime() {
  local name
  for name in $(crates_of "$1/Cargo.toml"); do
    rm -rf "$(guest_target)/x86_64-hyperlight-none/release/.fingerprint/$name"-????????????????
  done
}

# compiled_runtime: the one program that cargo has reported.
compiled_runtime() {
  local programs
  programs=$(grep -o '"executable":"[^"]*"' "$CACHE/log/runtime.log" | cut -d '"' -f 4 | sort -u)
  [[ -n $programs && $programs != *$'\n'* ]] || die "the crate must have exactly one binary; it has: ${programs:-none}"
  echo "$programs"
}

cargo_hyperlight() { crate_folder cargo-hyperlight "$(locked_version cargo-hyperlight)"; }

# The version that upstream's build script is linked with.
install_cargo_hyperlight() {
  install_crate cargo-hyperlight "$(locked_version cargo-hyperlight)" "which compiles guests"
}
