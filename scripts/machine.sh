# shellcheck shell=bash
# Where guests run: on the host's hypervisor if it really boots one, otherwise in the emulated machine,
# which is QEMU and a Linux kernel. internal/vmrun decides at run time; here is what it needs.
#
#   bin/vmrun          the runner
#   bin/run            examples/run, the program behind the verb `run`
#   kernel/VERSION/    a Linux kernel image and its modules, unpacked and not installed

# What depends on the newest kernel for virtual machines, in Debian and in Ubuntu.
readonly KERNEL_PACKAGES=(linux-image-cloud-amd64 linux-image-virtual)

vm_mode() { echo "${HYPERLIGHT_VM:-auto}"; }

# A device that can be opened may still fail at the first guest instruction; `vmrun probe` finds that out,
# but only once the library is built.
hypervisor_device() {
  local device
  for device in /dev/kvm /dev/mshv; do
    if [[ -r $device && -w $device ]]; then
      echo "$device"
      return
    fi
  done
  return 1
}

want_machine() {
  case $(vm_mode) in
    always) want_emulator ;;
    auto) hypervisor_device >/dev/null || want_emulator ;;
    never)
      hypervisor_device >/dev/null ||
        problem "a hypervisor, since HYPERLIGHT_VM=never rules out the emulated machine: $(hypervisor_advice)"
      ;;
    *) die "HYPERLIGHT_VM is '$(vm_mode)'; it can be auto, always or never" ;;
  esac
}

hypervisor_advice() {
  if [[ -e /dev/kvm ]]; then
    echo "/dev/kvm is not open to you; as root: usermod -aG kvm $(id -un), then log in again"
  else
    echo "there is no /dev/kvm; as root: modprobe kvm_intel (or kvm_amd), or turn virtualisation on in the firmware, or nested virtualisation in the cloud's settings"
  fi
}

want_emulator() {
  command -v qemu-system-x86_64 >/dev/null ||
    want "QEMU, which emulates the machine that guests run in" qemu-system-x86 seabios
  have_kernel || uses_apt ||
    problem "a Linux kernel for the emulated machine: unpack a Debian package linux-image-*-cloud-amd64 and name the folder in HYPERLIGHT_VM_KERNEL"
}

# The kernel in use, the way vmrun finds it.
have_kernel() {
  [[ -n ${HYPERLIGHT_VM_KERNEL:-} ]] || compgen -G "$CACHE/kernel/*/boot/vmlinuz-*" >/dev/null
}

prepare_machine() {
  build_go_program internal/vmrun vmrun
  if [[ $(vm_mode) == auto ]] && hypervisor_device >/dev/null; then
    ! probe_hypervisor || return 0
    say "no guest boots on $(hypervisor_device), so guests run in the emulated machine"
    want_emulator
    install_wanted_packages
  fi
  [[ $(vm_mode) == never ]] || have_kernel || fetch_kernel
}

# probe_hypervisor: boots a guest on the host's own hypervisor.
probe_hypervisor() { logged probe "$CACHE/bin/vmrun" probe 9>&- 2>/dev/null; }

# build_go_program FOLDER NAME: builds a Go module's main package into the cache.
build_go_program() {
  local folder=$ROOT/$1 program=$CACHE/bin/$2
  mkdir -p "$(dirname "$program")"
  CGO_ENABLED=0 go -C "$folder" build -buildvcs=false -o "$program.new" . >&2
  mv -f "$program.new" "$program"
}

# The kernel comes from apt without being installed: unpacked, it is just a file for QEMU.
fetch_kernel() {
  local packages=() folder version
  mapfile -t packages < <(kernel_packages)
  if ((${#packages[@]} == 0)); then
    apt_update_once
    mapfile -t packages < <(kernel_packages)
  fi
  ((${#packages[@]} > 0)) ||
    die "apt offers none of ${KERNEL_PACKAGES[*]}; unpack a Linux kernel package (dpkg -x) and name the folder in HYPERLIGHT_VM_KERNEL"
  version=${packages[0]#linux-image-}
  say "fetching ${packages[*]}: the kernel of the emulated machine"
  rm -rf "$CACHE"/kernel/.fetch.*
  mkdir -p "$CACHE/kernel" "$CACHE/log"
  folder=$(mktemp -d "$CACHE/kernel/.fetch.XXXXXX")
  if ! download_and_unpack "$folder" "${packages[@]}" >"$CACHE/log/kernel.log" 2>&1; then
    apt_update_once
    logged kernel download_and_unpack "$folder" "${packages[@]}" || die "apt-get could not download ${packages[*]}"
  fi
  rm -rf "${CACHE:?}/kernel/$version"
  mv "$folder/unpacked" "$CACHE/kernel/$version"
  rm -rf "$folder"
}

# kernel_packages: the newest kernel for virtual machines that apt knows. Ubuntu keeps the modules apart.
kernel_packages() {
  local name image modules
  for name in "${KERNEL_PACKAGES[@]}"; do
    # Fails for a name that apt does not know.
    image=$(LC_ALL=C apt-cache depends "$name" 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | first_line) || true
    [[ -n $image ]] || continue
    echo "$image"
    modules=linux-modules-${image#linux-image-}
    [[ -z $(candidate_version "$modules") ]] || echo "$modules"
    return
  done
}

# download_and_unpack FOLDER PACKAGE...
download_and_unpack() {
  local folder=$1 file
  shift
  (cd "$folder" && apt-get download "$@") || return
  for file in "$folder"/*.deb; do
    dpkg -x "$file" "$folder/unpacked" || return
  done
}

# The paths in the arguments are the caller's, so this changes no folder.
run_handler() {
  build_go_program examples/run run
  [[ ! -t 2 ]] || export CLICOLOR_FORCE=${CLICOLOR_FORCE:-1} # in the emulated machine nothing is a terminal
  exec "$CACHE/bin/vmrun" "$CACHE/bin/run" "$@"
}
