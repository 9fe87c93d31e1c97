# shellcheck shell=bash
# A release: the library for older systems than this one, in the forms in which people take it, and what tells what is
# in it. All of it is made by other tools, and is in dist/.
#
#   libhyperlight_js_capi-VERSION-abiN-linux-x86_64.so        the library alone, for programs that embed it
#   hyperlight-js-capi-VERSION-linux-x86_64.tar.gz            as it is installed, with licences
#   hyperlight-js-capi-VERSION-linux-x86_64.cdx.json          what is in the library, as a CycloneDX SBOM
#   hyperlight-js-capi-VERSION-linux-x86_64-guest.cdx.json    and in the guest that it embeds
#   SHA256SUMS

# Rust's own standard library needs this one, and nothing else in the library needs a newer one.
readonly OLDEST_GLIBC=2.17

readonly CYCLONEDX_VERSION=0.5.9

# Python packages that hold programs: zig, which links for any glibc, and cargo-zigbuild, which makes cargo use it.
readonly ZIG_PACKAGES=$ROOT/scripts/release-requirements.txt

want_release_tools() {
  want_python
  want_pkg_config
  python3 -c 'import ensurepip, venv' 2>/dev/null || want "Python's venv, into which zig is installed" python3-venv
}

# check_release_version VERSION: a tag, say, that is of another version than the sources.
check_release_version() {
  [[ $1 == "$(version)" ]] || die "this is version $(version), and not $1; Cargo.toml has it, as workspace.package.version"
}

release_name() { echo "$PKG_CONFIG_NAME-$(version)-linux-x86_64"; }

# make_release: all files at once, or none.
make_release() {
  local stage name library
  name=$(release_name)
  choose_guest
  [[ -f $HYPERLIGHT_JS_RUNTIME_PATH ]] || make_library # of this machine, with which the guest is built
  install_zig
  install_crate cargo-cyclonedx "$CYCLONEDX_VERSION" "which lists what is in the library"
  build_for_old_glibc
  library=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/$LIBRARY_NAME
  check_released "$library" >&2
  run_released "$library"

  rm -rf "$ROOT"/.dist.* # of an interrupted one
  stage=$(mktemp -d "$ROOT/.dist.XXXXXX")
  make_archive "$library" "$stage/$name.tar.gz" "$(zig_packages)/ziglang/LICENSE" \
    "$(zig_packages)/ziglang/lib/libunwind/LICENSE.TXT"
  cp "$library" "$stage/libhyperlight_js_capi-$(version)-abi$(abi_version)-linux-x86_64.so"
  list_contents "$stage/$name"
  (cd "$stage" && sha256sum -- * >SHA256SUMS)
  chmod 755 "$stage"
  chmod 644 "$stage"/*
  rm -rf "$ROOT/dist"
  mv "$stage" "$ROOT/dist"
  say "made in dist:"
  (cd "$ROOT/dist" && cat SHA256SUMS)
}

zig_folder() { echo "$CACHE/toolchain/zig-$(hash_of_input <"$ZIG_PACKAGES")"; }

zig_packages() { echo "$(zig_folder)"/lib/python3*/site-packages; }

install_zig() {
  local folder
  folder=$(zig_folder)
  [[ ! -f $folder/complete ]] || return 0
  say "installing zig and cargo-zigbuild, which link for an older glibc"
  rm -rf "$folder"
  logged zig python3 -m venv "$folder" || die "python3 could not make a venv"
  logged zig "$folder/bin/pip" install --require-hashes --only-binary :all: -r "$ZIG_PACKAGES" 9>&- ||
    die "pip could not install zig"
  touch "$folder/complete"
}

# The guest is embedded as it is: no C library of the system is in it. Cargo keeps what it compiles for a target that is
# named apart, so this repository's crate is forgotten there, too: another checkout may have been the last one.
build_for_old_glibc() {
  say "building the library for glibc $OLDEST_GLIBC and newer; the first time this takes as long as a first build"
  claim_target
  forget_compiled -p "$SHIM_CRATE" --target x86_64-unknown-linux-gnu
  PATH=$(zig_folder)/bin:$PATH cargo_with_progress zigbuild --target "x86_64-unknown-linux-gnu.$OLDEST_GLIBC"
}

# check_released LIBRARY: before it is packed.
check_released() {
  check_exports "$1" || die "the library exports other functions than the header has"
  check_soname "$1" || die "the library has another soname"
  check_glibc "$1" "$OLDEST_GLIBC" || die "the library needs a newer glibc than $OLDEST_GLIBC"
}

# run_released LIBRARY: boots a guest with it, on the hypervisor or in the emulated machine.
run_released() {
  local answer
  export HYPERLIGHT_JS_LIBRARY=$1
  prepare_machine
  build_go_program examples/hello examples/hello
  answer=$("$CACHE/bin/vmrun" "$CACHE/bin/examples/hello") || answer+=" (and failed)"
  [[ $answer == '{"message":"Hello, World!"}' ]] || die "examples/hello does not work with the library; it answered: $answer"
  say "a guest has answered: $answer"
}

# make_archive LIBRARY FILE LICENCE...: what `install` would put there, and licences, all in a folder with the file's
# name.
make_archive() {
  local library=$1 file=$2 name scratch
  shift 2
  name=$(basename "$file" .tar.gz)
  scratch=$(mktemp -d)
  install_tree "$library" "$scratch/$name"
  check_installed "$scratch/$name" >&2 || die "what is in the archive cannot be compiled with"
  publish "$ROOT/LICENSE" "$scratch/$name/LICENSE"
  third_party_licenses "$@" >"$scratch/$name/THIRD-PARTY-LICENSES.txt"
  pack "$scratch/$name" "$file"
  rm -rf "$scratch"
}

# pack FOLDER FILE: the same input gives the same file, whoever packs it and when.
pack() {
  tar -C "$(dirname "$1")" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --mtime="@$(commit_time)" -cf - "$(basename "$1")" | gzip -9 -n >"$2"
}

commit_time() { git -C "$ROOT" log -1 --format=%ct; }

# list_contents PREFIX: the two SBOMs. cargo-cyclonedx writes beside a manifest, so it gets copies of the crates.
list_contents() {
  local copies
  copies=$(mktemp -d)
  mkdir "$copies/library"
  cp -R "$(upstream_folder hyperlight-js-runtime)" "$copies/guest"
  tar -C "$ROOT" --exclude=target -cf - Cargo.toml Cargo.lock rust-shim bench/rust | tar -C "$copies/library" -xf -
  sbom "$copies/library/rust-shim" x86_64-unknown-linux-gnu >"$1.cdx.json"
  RUSTFLAGS="--cfg hyperlight" sbom "$copies/guest" x86_64-unknown-none >"$1-guest.cdx.json" # as in linked_crates
  rm -rf "$copies"
}

# sbom FOLDER TARGET: of the crate there, without the folder's own path.
sbom() {
  SOURCE_DATE_EPOCH=$(commit_time) PATH=$(crate_folder cargo-cyclonedx "$CYCLONEDX_VERSION")/bin:$PATH logged sbom \
    cargo cyclonedx --manifest-path "$1/Cargo.toml" --format json --spec-version 1.5 --no-build-deps --target "$2" \
    --override-filename sbom || die "cargo-cyclonedx could not list the crates in $1"
  sed "s|path+file://$(dirname "$1")/|path+file:///|g" "$1/sbom.json"
}
