# shellcheck shell=bash
# What is here, what will be used, and what to do about each problem. Installs, builds and changes nothing.
# Its report is its result, so it goes to stdout.

doctor() {
  local extra
  # Looking is all that the checks below may do.
  READ_ONLY=yes
  check_platform
  check_go
  want_c_compiler
  want_clang
  want_machine
  want_cxx_compiler
  want_valgrind
  want_shellcheck
  for extra in "${EXAMPLE_WANTS[@]}"; do "$extra"; done
  choose_toolchain 2>/dev/null
  show_installed
  show_hypervisor
  show_plan
  show_problems
}

row() { printf '  %-12s %s\n' "$1" "$2"; }

# version_of PROGRAM [ARGUMENT]: the first line it says about itself.
version_of() {
  if command -v "$1" >/dev/null; then
    "$1" "${2:---version}" 2>&1 | sed '/^ShellCheck/d' | first_line
  else
    echo "not installed"
  fi
}

show_installed() {
  echo "Installed"
  row system "$(system_name), $(uname -m), $(nproc) CPUs"
  row go "$(version_of go version)"
  show_rust
  row clang "$(version_of clang)"
  row libclang "$(libclang_path | first_line || echo "not installed")"
  row cc "$(version_of cc)"
  row c++ "$(version_of c++)"
  row valgrind "$(version_of valgrind)"
  row qemu "$(version_of qemu-system-x86_64)"
  row shellcheck "$(version_of shellcheck)"
  row python3 "$(version_of python3)"
  row kernel "$(kernel_state)"
  row library "$(library_state)"
  row vmrun "$([[ -x $CACHE/bin/vmrun ]] && echo "$CACHE/bin/vmrun" || echo "not built yet")"
  row cache "$CACHE, $(du -sh "$CACHE" 2>/dev/null | cut -f 1 | grep . || echo empty)"
}

system_name() {
  # shellcheck source=/dev/null
  (source /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-Linux}") || uname -s
}

show_rust() {
  if [[ ! -x $TOOLCHAIN_SYSROOT/bin/rustc ]]; then
    row rust "none that can build the guest"
    return
  fi
  row rust "$("$TOOLCHAIN_SYSROOT/bin/rustc" -V)"
  row cargo "$("$TOOLCHAIN_SYSROOT/bin/cargo" -V)"
  if [[ $TOOLCHAIN_KIND == rustup ]]; then
    row lld "$("$(rustup_linker "$TOOLCHAIN_SYSROOT")" -flavor gnu --version)"
  else
    row lld "$(version_of ld.lld-19)"
  fi
}

kernel_state() {
  if [[ -n ${HYPERLIGHT_VM_KERNEL:-} ]]; then
    echo "$HYPERLIGHT_VM_KERNEL, named by HYPERLIGHT_VM_KERNEL"
  elif have_kernel; then
    compgen -G "$CACHE/kernel/*/boot/vmlinuz-*" | first_line
  else
    echo "none for the emulated machine yet"
  fi
}

library_state() {
  local file
  file=$(published_library)
  if [[ -f $file ]]; then echo "$file, of $(date -r "$file" '+%F %T')"; else echo "not built yet"; fi
}

# HOST_BOOTS: yes, no, or unknown where there is nothing yet to try it with.
HOST_BOOTS=unknown

show_hypervisor() {
  local device
  echo "Hypervisor"
  if device=$(hypervisor_device); then
    row device "$device can be opened, which does not yet mean that guests run"
    try_to_boot_a_guest
  else
    HOST_BOOTS=no
    row device "none: $(hypervisor_advice)"
  fi
}

try_to_boot_a_guest() {
  local said status=0
  if [[ ! -x $CACHE/bin/vmrun || ! -f $(published_library) ]]; then
    row probe "not tried: that takes the library and vmrun, which ./build.sh run and test build"
    return
  fi
  said=$(HYPERLIGHT_JS_LIBRARY=$(published_library) "$CACHE/bin/vmrun" probe 2>&1) || status=$?
  if ((status == 0)); then
    HOST_BOOTS=yes
  else
    HOST_BOOTS=no
    [[ $(vm_mode) != auto ]] || want_emulator
  fi
  row probe "$(if ((status == 0)); then echo "a guest boots"; else echo "no guest boots on it"; fi)${said:+: ${said//$'\n'/; }}"
}

show_plan() {
  local index
  echo "What is used"
  row rust "${TOOLCHAIN_WHY:-none}"
  row guests "$(where_guests_run)"
  for index in "${!WANTED_PACKAGES[@]}"; do
    row "to install" "${WANTED_REASONS[index]} (${WANTED_PACKAGES[index]})"
  done
}

where_guests_run() {
  case $(vm_mode)/$HOST_BOOTS in
    always/*) echo "in the emulated machine, because HYPERLIGHT_VM=always" ;;
    never/*) echo "on the host's hypervisor, because HYPERLIGHT_VM=never" ;;
    auto/yes) echo "on the host's hypervisor" ;;
    auto/no) echo "in the emulated machine" ;;
    *) echo "on the host's hypervisor if a guest boots there, otherwise in the emulated machine" ;;
  esac
}

show_problems() {
  local entry
  if ((${#WANTED_PACKAGES[@]} > 0)) && { ! uses_apt || ! can_be_root; }; then
    refuse_wanted_packages
  fi
  if [[ $(vm_mode) == never && $HOST_BOOTS == no ]] && hypervisor_device >/dev/null; then
    problem "a hypervisor that boots a guest, since HYPERLIGHT_VM=never: unset it to use the emulated machine"
  fi
  if ((${#PROBLEMS[@]} == 0)); then
    echo "No problems: what is missing, ./build.sh sets up by itself."
    return
  fi
  echo "Problems"
  for entry in "${PROBLEMS[@]}"; do echo "  - $entry"; done
  exit 1
}
