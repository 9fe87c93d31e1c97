# shellcheck shell=bash
# What a library must be, whoever built it: the functions of the header and no other symbol, a soname with the ABI
# version, and a program that is compiled as users do it.

exported_symbols() { nm -D --defined-only "$1" | awk '{print $NF}' | sed 's/@.*//' | LC_ALL=C sort -u; }

# declared_functions: in the header, without its comments.
declared_functions() {
  sed -e 's|//.*||' -e '/^ *\*/d' -e '/^ *\/\*/d' "$ROOT/capi/hyperlight_js.h" |
    grep -o '\bhljs_[a-z0-9_]*(' | tr -d '(' | LC_ALL=C sort -u
}

# check_exports LIBRARY
check_exports() {
  local difference
  echo "$(declared_functions | wc -l) functions"
  difference=$(diff <(declared_functions) <(exported_symbols "$1")) && return
  printf 'the header (<) and the library (>) differ:\n%s\n' "$difference"
  return 1
}

# check_soname LIBRARY
check_soname() {
  local found
  found=$(LC_ALL=C readelf -dW "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]$/\1/p')
  echo "soname: ${found:-none}"
  [[ $found == "$(soname)" ]] && return
  echo "and it must be $(soname), which has the header's ABI version"
  return 1
}

# newest_glibc LIBRARY: the newest version that it asks for, like 2.17.
newest_glibc() { objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1; }

# check_glibc LIBRARY VERSION: it starts with that glibc.
check_glibc() {
  local newest
  newest=$(newest_glibc "$1")
  echo "glibc: $newest"
  at_least "$2" "$newest" && return
  echo "and it must be no newer than $2"
  return 1
}

# check_installed FOLDER: a C program is compiled with what is installed there, starts, and finds the same versions.
check_installed() {
  local flags scratch said wanted
  wanted="version $(version), ABI version $(abi_version)"
  scratch=$(mktemp -d)
  read -ra flags <<<"$(PKG_CONFIG_PATH=$1/lib/pkgconfig pkg-config --cflags --libs "$PKG_CONFIG_NAME")"
  cc -std=c11 -Wall -Wextra -Werror -o "$scratch/program" "$ROOT/scripts/installed.c" "${flags[@]}"
  said=$(LD_LIBRARY_PATH=$1/lib "$scratch/program")
  rm -rf "$scratch"
  echo "$said"
  [[ $said == "$wanted" && $(PKG_CONFIG_PATH=$1/lib/pkgconfig pkg-config --modversion "$PKG_CONFIG_NAME") == "$(version)" ]] && return
  echo "and it must be $wanted, in $PKG_CONFIG_NAME.pc, too"
  return 1
}
