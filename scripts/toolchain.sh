# shellcheck shell=bash
# Which Rust builds the library, and the folder that puts exactly that Rust first on PATH.
#
# Upstream's guest is compiled for a target of its own. That takes the library source of the very compiler
# in use, a linker called rust-lld, and, since Rust 1.95 declares custom targets unstable, RUSTC_BOOTSTRAP=1.
# rustfmt and clippy belong to a usable toolchain as well: the tests must judge with the compiler that builds.

# Set by choose_toolchain.
TOOLCHAIN_KIND= # rustup or debian
TOOLCHAIN_SYSROOT=
TOOLCHAIN_WHY=

readonly DEBIAN_RUST_PACKAGES=(rustc-web cargo-web rust-web-src rustfmt-web rust-web-clippy lld-19)
readonly RUST_PROGRAMS=(rustc rustdoc cargo rustfmt cargo-fmt cargo-clippy clippy-driver)

minimum_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

choose_toolchain() {
  local wish=${HYPERLIGHT_JS_TOOLCHAIN:-auto} asked="HYPERLIGHT_JS_TOOLCHAIN asks for it"
  case $wish in
    auto) choose_automatically ;;
    rustup)
      choose_rustup "$asked" || choose_rustup_online "$asked" ||
        problem "Rust by rustup, as HYPERLIGHT_JS_TOOLCHAIN asks: $(how_to_get_rustup)"
      ;;
    debian) choose_debian "$asked" ;;
    *) die "HYPERLIGHT_JS_TOOLCHAIN is '$wish'; it can be rustup, debian or auto" ;;
  esac
  [[ -z $TOOLCHAIN_KIND ]] || say "Rust: $TOOLCHAIN_WHY"
}

# What is there already is used before anything is downloaded.
choose_automatically() {
  if ! rustup_program >/dev/null; then
    choose_debian "rustup is not installed"
    return
  fi
  choose_rustup "it has rust-src, rustfmt and clippy" ||
    choose_debian_installed "they are installed, and no toolchain of rustup is complete" ||
    choose_rustup_online "what it lacked could be downloaded" ||
    choose_debian "no toolchain of rustup is complete, and rustup downloads nothing here"
}

how_to_get_rustup() {
  echo "https://rustup.rs, then: rustup toolchain install stable --component rust-src,rustfmt,clippy"
}

rustup_program() {
  command -v rustup || { [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/rustup ]] && echo "${CARGO_HOME:-$HOME/.cargo}/bin/rustup"; }
}

# The toolchains of rustup that are new enough: the default first, then stable, then the rest.
rustup_toolchains() {
  local rustup name names default
  rustup=$(rustup_program) || return 0
  names=$("$rustup" toolchain list 2>/dev/null | sed 's/ .*//' | grep -v '^no ' || true)
  default=$("$rustup" default 2>/dev/null | sed 's/ .*//' || true)
  for name in $(printf '%s\n' "$default" "$(grep '^stable' <<<"$names" || true)" "$names" | awk 'NF && !seen[$0]++'); do
    rustup_sysroot "$name" >/dev/null && echo "$name"
  done
  return 0
}

# rustup_sysroot NAME: where that toolchain lies; fails when it is too old or not there.
rustup_sysroot() {
  local rustc version
  # RUSTUP_AUTO_INSTALL=0: asking where something is must not download it.
  rustc=$(RUSTUP_AUTO_INSTALL=0 "$(rustup_program)" which rustc --toolchain "$1" 2>/dev/null) || return 1
  version=$("$rustc" -V | awk '{print $2}')
  at_least "$version" "$(minimum_rust)" || return 1
  "$rustc" --print sysroot
}

# missing_rustup_components SYSROOT: by the files, since that needs no rustup and no network.
missing_rustup_components() {
  [[ -f $1/lib/rustlib/src/rust/library/core/src/lib.rs ]] || echo rust-src
  [[ -x $1/bin/cargo-fmt ]] || echo rustfmt
  [[ -x $1/bin/cargo-clippy ]] || echo clippy
}

# Each choose_... takes the reason to give for its choice.
choose_rustup() {
  local name sysroot
  for name in $(rustup_toolchains); do
    sysroot=$(rustup_sysroot "$name")
    [[ -z $(missing_rustup_components "$sysroot") ]] || continue
    [[ -x $(rustup_linker "$sysroot") ]] || continue
    use_rustup "$name" "$sysroot" "$1"
    return
  done
  return 1
}

# Where rustup reaches its server, the missing components are a small download. Where it does not, a
# minute is enough to know.
choose_rustup_online() {
  local name sysroot components
  name=$(rustup_toolchains | first_line)
  [[ -n $name && -z ${READ_ONLY:-} ]] || return 1
  sysroot=$(rustup_sysroot "$name")
  read -ra components <<<"$(missing_rustup_components "$sysroot" | tr '\n' ' ')"
  say "adding ${components[*]} to rustup's $name: the guest is built with its own copy of Rust's core library"
  mkdir -p "$CACHE/log"
  if ! timeout 60 "$(rustup_program)" component add --toolchain "$name" "${components[@]}" >"$CACHE/log/rustup.log" 2>&1 9>&-; then
    say "rustup could not download that (see $CACHE/log/rustup.log)"
    return 1
  fi
  choose_rustup "$1"
}

use_rustup() {
  TOOLCHAIN_KIND=rustup TOOLCHAIN_SYSROOT=$2
  TOOLCHAIN_WHY="rustup's $1 ($("$2/bin/rustc" -V | awk '{print $2}')), because $3"
}

rustup_linker() { echo "$1/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"; }

choose_debian_installed() {
  local package
  for package in "${DEBIAN_RUST_PACKAGES[@]}"; do
    package_installed "$package" || return 1
  done
  at_least "$(/usr/bin/rustc -V | awk '{print $2}')" "$(minimum_rust)" || return 1
  use_debian "$1"
}

choose_debian() {
  local version minimum package
  choose_debian_installed "$1" && return
  minimum=$(minimum_rust)
  if ! uses_apt; then
    problem "Rust $minimum or newer with its library source: $(how_to_get_rustup)"
    return
  fi
  version=$(candidate_version rustc-web)
  if ! at_least "${version:-0}" "$minimum"; then
    apt_update_once
    version=$(candidate_version rustc-web)
  fi
  # doctor may not update apt's lists, so it cannot tell; a build on the same machine will.
  if [[ -n $READ_ONLY ]] && ! at_least "${version:-0}" "$minimum" && can_be_root; then
    version="$minimum or newer"
  fi
  if ! at_least "${version%% *}" "$minimum"; then
    problem "Rust $minimum or newer with its library source (apt's lists offer ${version:-no package rustc-web}): $(how_to_get_rustup), or as root: apt-get update"
    return
  fi
  for package in rustc cargo rustup; do
    ! package_installed "$package" ||
      problem "room for Debian's newer Rust: its rustc-web conflicts with the package $package; as root: apt-get remove $package"
  done
  want "Rust $version with its library source, which builds the guest and the library" "${DEBIAN_RUST_PACKAGES[@]}"
  use_debian "$1"
}

use_debian() {
  TOOLCHAIN_KIND=debian TOOLCHAIN_SYSROOT=/usr
  TOOLCHAIN_WHY="Debian's packages, because $1"
}

# Puts the chosen programs, under their plain names, into a folder of the cache and that folder first on
# PATH. Both kinds are called without rustup's proxies in between: these would look for toolchain files,
# and upstream's build asks rustup for components whenever it finds itself under a proxy.
activate_toolchain() {
  local folder=$CACHE/toolchain/$TOOLCHAIN_KIND program
  mkdir -p "$folder"
  for program in "${RUST_PROGRAMS[@]}"; do
    ln -sfn "$TOOLCHAIN_SYSROOT/bin/$program" "$folder/$program"
  done
  link_linkers "$folder"
  # cargo looks for its subcommands in its home before PATH, unless that is on PATH: so it goes there, last.
  PATH=$folder:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$CACHE/target CARGO_NET_RETRY=${CARGO_NET_RETRY:-5}
  # The guest's build would inherit these, and they are meant for another target.
  unset RUSTUP_TOOLCHAIN RUSTC RUSTDOC CARGO RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
}

# Two linkers: rust-lld for the guest, and ld.lld, which gcc looks for because the library asks for it.
link_linkers() {
  local folder=$1
  if [[ $TOOLCHAIN_KIND == rustup ]]; then
    ln -sfn "$(rustup_linker "$TOOLCHAIN_SYSROOT")" "$folder/rust-lld"
    ln -sfn "$(dirname "$(rustup_linker "$TOOLCHAIN_SYSROOT")")/gcc-ld/ld.lld" "$folder/ld.lld"
    return
  fi
  ln -sfn /usr/bin/ld.lld-19 "$folder/ld.lld"
  # The guest's target has no dynamic linker. Without the flag, the linkers of LLVM 14 and 19 leave a
  # GLOB_DAT relocation that the host refuses; rustup's own rust-lld is newer and works as it is.
  rm -f "$folder/rust-lld.new"
  # shellcheck disable=SC2016 # the wrapper's own arguments
  printf '#!/bin/sh\nexec ld.lld-19 "$@" --no-dynamic-linker\n' >"$folder/rust-lld.new"
  chmod 755 "$folder/rust-lld.new"
  mv -f "$folder/rust-lld.new" "$folder/rust-lld"
}

crate_folder() { echo "$CACHE/toolchain/$1-$2"; }

# install_crate NAME VERSION WHY: a subcommand of cargo's, into the bin folder of its crate_folder.
install_crate() {
  local name=$1 version=$2 folder target
  folder=$(crate_folder "$name" "$version")
  [[ ! -x $folder/bin/$name ]] || return 0
  say "installing $name $version, $3"
  rm -rf "$CACHE"/toolchain/.target.* # of an interrupted build
  target=$(mktemp -d "$CACHE/toolchain/.target.XXXXXX")
  CARGO_TARGET_DIR=$target logged "$name" cargo install "$name@$version" --locked --debug --root "$folder" 9>&- ||
    die "cargo could not install $name $version"
  rm -rf "$target"
}
