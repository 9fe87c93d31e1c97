# shellcheck shell=bash
# A release: the library for machines older than this one, in the forms in which people take it, and what tells
# what is in it.
#
#   libhyperlight_js_capi-VERSION-abiN-linux-x86_64.so        alone, for programs that embed it
#   hyperlight-js-capi-VERSION-linux-x86_64.tar.gz            as it is installed, with licences
#   hyperlight-js-capi-VERSION-linux-x86_64.cdx.json          what is in the library, as a CycloneDX SBOM
#   hyperlight-js-capi-VERSION-linux-x86_64-guest.cdx.json    and in the guest that it embeds
#   SHA256SUMS

# Rust's own standard library needs this one, and nothing else in the library needs a newer one.
readonly OLDEST_GLIBC=2.17

readonly CYCLONEDX_VERSION=0.5.9

# Python packages that hold programs: zig, which links against any glibc, and cargo-zigbuild, which makes cargo use it.
readonly ZIG_PACKAGES=$ROOT/scripts/release-requirements.txt

want_release_tools() {
  want_python
  python3 -c 'import ensurepip, venv' 2>/dev/null || want "Python's venv, into which zig is installed" python3-venv
}

# make_release FOLDER: from the guest that was built for the library of this machine.
make_release() {
  local folder=$1 name library stage
  mkdir -p "$folder"
  name=$PKG_CONFIG_NAME-$(version)-linux-x86_64
  install_zig
  install_crate cargo-cyclonedx "$CYCLONEDX_VERSION" "which lists what is in the library"
  build_for_old_glibc
  library=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/$LIBRARY_NAME
  check_library "$library" "$OLDEST_GLIBC"
  check_abi_version "$library"

  stage=$(mktemp -d "$folder/.stage.XXXXXX")
  install_tree "$library" "$stage/$name"
  cp "$ROOT/LICENSE" "$stage/$name/LICENSE"
  third_party_licenses "$(zig_folder)"/lib/python3*/site-packages/ziglang/lib/libunwind/LICENSE.TXT \
    >"$stage/$name/THIRD-PARTY-LICENSES.txt"
  # The same input gives the same file, whoever packs it and when.
  tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git -C "$ROOT" log -1 --format=%ct)" \
    -cf "$stage/$name.tar" "$name"
  gzip -9 -n "$stage/$name.tar"
  cp "$library" "$stage/libhyperlight_js_capi-$(version)-abi$(abi_version)-linux-x86_64.so"
  list_contents "$stage/$name"
  rm -rf "${stage:?}/$name"
  (cd "$stage" && sha256sum -- * >SHA256SUMS)
  chmod 644 "$stage"/*
  mv -f "$stage"/* "$folder"
  rmdir "$stage"
  say "made in $folder:"
  (cd "$folder" && ls -l | sed 1d >&2)
}

zig_folder() { echo "$CACHE/toolchain/zig-$(hash_of_input <"$ZIG_PACKAGES")"; }

install_zig() {
  local folder
  folder=$(zig_folder)
  [[ ! -f $folder/complete ]] || return 0
  say "installing zig and cargo-zigbuild, which link against an old glibc"
  rm -rf "$folder"
  logged zig python3 -m venv "$folder" || die "python3 could not make a venv"
  logged zig "$folder/bin/pip" install --require-hashes --only-binary :all: -r "$ZIG_PACKAGES" || die "pip could not install zig"
  touch "$folder/complete"
}

# The guest is embedded as it is: no C library of the system is in it.
build_for_old_glibc() {
  say "building the library for glibc $OLDEST_GLIBC and newer; the first time this takes as long as a first build"
  claim_target
  PATH=$(zig_folder)/bin:$PATH cargo_with_progress zigbuild --target "x86_64-unknown-linux-gnu.$OLDEST_GLIBC"
}

check_abi_version() {
  local found
  found=$(python3 -c 'import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).hljs_abi_version())' "$1")
  [[ $found == "$(abi_version)" ]] || die "the library has ABI version $found, and the header $(abi_version)"
}

# list_contents NAME: the two SBOMs. cargo-cyclonedx writes beside a manifest, so it gets copies of both crates.
list_contents() {
  local copies
  copies=$(mktemp -d)
  cp -R "$ROOT/Cargo.toml" "$ROOT/Cargo.lock" "$ROOT/rust-shim" "$copies"
  rm -rf "$copies"
}
