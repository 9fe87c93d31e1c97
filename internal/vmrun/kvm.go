package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// From <linux/kvm.h>.
const (
	kvmCreateVM   = 0xae01
	kvmCreateVCPU = 0xae41
)

// holdKVM creates a virtual machine with one CPU in the guest's kernel, which
// never runs and lives as long as init.
//
// The kernel rewrites its own code, the scheduler's too, when the first virtual
// machine or CPU comes and when the last one goes (static keys). QEMU 7.2 with a
// thread for each CPU, on a busy host, at times goes on with the code as it was in
// between, a breakpoint: a program that created and closed ten sandboxes under a
// storm of signals hung the machine in the scheduler, or made its kernel panic, in
// 5 of 12 runs; in none of 23 since its machines are neither first nor last.
func holdKVM() error {
	kvm, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/kvm: %w", err)
	}
	// No irqchip, as Hyperlight's have none; the kernel counts such CPUs.
	vm, err := ioctl(kvm, kvmCreateVM)
	if err != nil {
		return fmt.Errorf("create a virtual machine: %w", err)
	}
	if _, err := ioctl(vm, kvmCreateVCPU); err != nil {
		return fmt.Errorf("create a virtual CPU: %w", err)
	}
	return nil // the descriptors stay open
}

func ioctl(fd int, request uint) (int, error) {
	for {
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR: // Go's runtime preempts by signals
		default:
			return 0, os.NewSyscallError("ioctl", errno)
		}
	}
}
