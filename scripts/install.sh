# shellcheck shell=bash
# Installing the library for programs that are linked with it, or ask the system for it: the library under its versions,
# the header, and a pkg-config file.
#
#   PREFIX/lib/libhyperlight_js_capi.so.1.0.1.0    the file: the soname, and the version of this repository
#   PREFIX/lib/libhyperlight_js_capi.so.1          what linked programs and Go's loader ask for: a link to it
#   PREFIX/lib/libhyperlight_js_capi.so            what compilers ask for: a link to that
#   PREFIX/lib/pkgconfig/hyperlight-js-capi.pc
#   PREFIX/include/hyperlight_js.h

readonly PKG_CONFIG_NAME=hyperlight-js-capi

# Where the files go, by use_install_arguments; DESTDIR is in front of PREFIX, and not in the files.
INSTALL_PREFIX=/usr/local
INSTALL_DESTDIR=

# version: of everything in this repository.
version() { sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

versioned_library() { echo "$(soname).$(version)"; }

# use_install_arguments VERB ARGS...
use_install_arguments() {
  local verb=$1 option value
  shift
  while (($# > 0)); do
    option=${1%%=*}
    case $1 in
      --prefix=* | --destdir=*) value=${1#*=} ;;
      --prefix | --destdir)
        (($# > 1)) || wrong_usage "'$verb $1' needs a folder"
        value=$2
        shift
        ;;
      *) wrong_usage "'$verb' takes --prefix DIR and --destdir DIR, and not '$1'" ;;
    esac
    [[ $value == /* ]] || wrong_usage "'$verb $option' needs an absolute path, and not '$value'"
    [[ $option != --prefix ]] || INSTALL_PREFIX=${value%/}
    [[ $option != --destdir ]] || INSTALL_DESTDIR=${value%/}
    shift
  done
}

# check_install_folder: before anything is built.
check_install_folder() {
  local folder=$INSTALL_DESTDIR$INSTALL_PREFIX existing
  existing=${folder:-/}
  while [[ ! -e $existing ]]; do existing=$(dirname "$existing"); done
  [[ -d $existing && -w $existing ]] ||
    die "cannot write to $folder; install into a folder of yours, with --destdir \"\$PWD/stage\" say, and copy that as root: cp -a stage/. /"
}

install_library() {
  install_tree "$HYPERLIGHT_JS_LIBRARY" "$INSTALL_DESTDIR$INSTALL_PREFIX"
  say "installed $(versioned_library), its header and $PKG_CONFIG_NAME.pc in $INSTALL_DESTDIR$INSTALL_PREFIX"
  refresh_loader
}

# install_tree LIBRARY FOLDER
install_tree() {
  local lib=$2/lib pc
  publish "$1" "$lib/$(versioned_library)" 755
  ln -sfn "$(versioned_library)" "$lib/$(soname)"
  ln -sfn "$(soname)" "$lib/$LIBRARY_NAME"
  publish "$ROOT/capi/hyperlight_js.h" "$2/include/hyperlight_js.h"
  pc=$(mktemp)
  pkg_config_file >"$pc"
  publish "$pc" "$lib/pkgconfig/$PKG_CONFIG_NAME.pc"
  rm -f "$pc"
}

# It finds its folder by itself, so that what is unpacked anywhere works as what was installed does.
pkg_config_file() {
  cat <<TEXT
prefix=\${pcfiledir}/../..
libdir=\${prefix}/lib
includedir=\${prefix}/include
abi_version=$(abi_version)

Name: $PKG_CONFIG_NAME
Description: JavaScript handlers in Hyperlight micro-VMs, by the C ABI of hyperlight-js
URL: https://github.com/hyperlight-go/hyperlight-js
Version: $(version)
Libs: -L\${libdir} -lhyperlight_js_capi
Cflags: -I\${includedir}
TEXT
}

# refresh_loader: a folder in which the system looks for libraries is known to it by a cache; others need LD_LIBRARY_PATH
# or a run path.
refresh_loader() {
  local lib=$INSTALL_PREFIX/lib folders
  [[ -z $INSTALL_DESTDIR ]] || return 0
  folders=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -NXv 2>/dev/null || true)
  if ! grep -q "^$lib:" <<<"$folders"; then
    say "the system does not look in $lib: set LD_LIBRARY_PATH, or link programs with -Wl,-rpath,$lib"
  elif ((EUID == 0)); then
    ldconfig
  else
    say "as root, run: ldconfig"
  fi
}

# uninstall_library: what install put there, of whatever version. Folders stay, since others may use them.
uninstall_library() {
  local folder=$INSTALL_DESTDIR$INSTALL_PREFIX file files=()
  for file in "$folder/lib/$LIBRARY_NAME"* "$folder/include/hyperlight_js.h" "$folder/lib/pkgconfig/$PKG_CONFIG_NAME.pc"; do
    [[ ! -e $file && ! -L $file ]] || files+=("$file")
  done
  ((${#files[@]} > 0)) || die "nothing is installed in $folder; --prefix and --destdir must be those of 'install'"
  rm -f "${files[@]}"
  printf '[build] removed %s\n' "${files[@]}" >&2
}
