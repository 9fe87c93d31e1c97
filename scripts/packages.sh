# shellcheck shell=bash
# Debian packages: which are wanted and why, and one apt-get call that installs all of them.

# Two lists that belong together: a group of packages, and what it is for ("clang, which ...").
WANTED_PACKAGES=()
WANTED_REASONS=()

# want REASON PACKAGE...: once, whoever asks for it again.
want() {
  local reason
  for reason in ${WANTED_REASONS[@]+"${WANTED_REASONS[@]}"}; do
    [[ $reason != "$1" ]] || return 0
  done
  WANTED_REASONS+=("$1")
  shift
  WANTED_PACKAGES+=("$*")
}

want_c_compiler() {
  command -v cc >/dev/null && command -v nm >/dev/null && return
  want "a C compiler, which links the Rust code and builds the C tests" gcc libc6-dev binutils
}

want_cxx_compiler() {
  command -v c++ >/dev/null && return
  want "a C++ compiler, with which the tests check that the header serves C++ too" g++
}

want_valgrind() {
  command -v valgrind >/dev/null && return
  want "valgrind, under which the tests run the C ABI" valgrind libc6-dbg
}

# Commands are looked for, not packages, where another source of the same program does as well.
want_clang() {
  command -v clang >/dev/null && libclang_path >/dev/null && return
  want "clang and libclang, which compile the C code in upstream's guest" clang libclang-dev
}

want_shellcheck() {
  command -v shellcheck >/dev/null && return
  want "shellcheck, with which the tests check the shell scripts" shellcheck
}

want_chromium() {
  command -v chromium >/dev/null && return
  want "Chromium, in which the tests use the playground's page" chromium
}

want_make() {
  command -v make >/dev/null && return
  want "make, which builds the example in C" make
}

want_python() {
  command -v python3 >/dev/null && return
  want "Python, for the example that calls the C ABI from another language" python3
}

want_pkg_config() {
  command -v pkg-config >/dev/null && return
  want "pkg-config, by which C programs find what is installed" pkg-config
}

want_node() {
  command -v node >/dev/null && command -v npm >/dev/null && return
  want "Node.js and npm, for upstream's binding and for what the benchmarks get from npm" nodejs npm
}

libclang_path() {
  local candidate
  for candidate in "${LIBCLANG_PATH:-/nonexistent}" /usr/lib/llvm-*/lib /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib; do
    compgen -G "$candidate/libclang[.-]*so*" && return
  done
  return 1
}

# as_root COMMAND...: directly, or with sudo where that will not hang on a password nobody is there to type.
as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

can_be_root() {
  ((EUID == 0)) && return
  command -v sudo >/dev/null || return 1
  [[ -t 0 ]] || sudo -n true 2>/dev/null
}

uses_apt() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

package_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# candidate_version PACKAGE: the version apt would install, nothing where it knows none.
candidate_version() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '(none)' || true; }

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@" 9>&-
}

# A fresh container has no package lists, and one that has slept may have old ones: one update a run at most.
APT_UPDATED=
apt_update_once() {
  [[ -z $APT_UPDATED && -z ${READ_ONLY:-} ]] || return 0
  APT_UPDATED=yes
  can_be_root || return 0
  say "updating apt's package lists"
  logged apt-update apt update || say "apt-get update failed; going on with the lists that are there"
}

# Ends the set-up when anything is missing that this script cannot get.
install_wanted_packages() {
  local packages=() index
  if ((${#WANTED_PACKAGES[@]} > 0)) && { ! uses_apt || ! can_be_root; }; then
    refuse_wanted_packages
  fi
  report_problems
  for index in "${!WANTED_PACKAGES[@]}"; do
    say "installing ${WANTED_REASONS[index]} (${WANTED_PACKAGES[index]})"
    read -ra group <<<"${WANTED_PACKAGES[index]}"
    packages+=("${group[@]}")
  done
  WANTED_PACKAGES=() WANTED_REASONS=()
  ((${#packages[@]} == 0)) || apt_install "${packages[@]}"
}

refuse_wanted_packages() {
  local index how
  for index in "${!WANTED_PACKAGES[@]}"; do
    how="as root: apt-get install ${WANTED_PACKAGES[index]}"
    uses_apt || how="Debian's packages for it are ${WANTED_PACKAGES[index]}; install what corresponds to them here"
    problem "${WANTED_REASONS[index]}: $how"
  done
}

# --no-remove: rustc-web conflicts with Debian's rustc, and nothing of the user's is removed without being asked.
apt_install() {
  local package
  for package in "$@"; do
    [[ -n $(candidate_version "$package") ]] || apt_update_once
  done
  logged apt-install apt install --no-install-recommends --no-remove "$@" && return
  [[ -z $APT_UPDATED ]] || die "apt-get could not install $*"
  apt_update_once
  logged apt-install apt install --no-install-recommends --no-remove "$@" || die "apt-get could not install $*"
}
