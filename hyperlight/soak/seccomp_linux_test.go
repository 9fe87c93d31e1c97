//go:build linux && amd64

package soak_test

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// refusal is a system call that the kernel is to refuse: each one, or those for which an argument is equal to
// a value in the bits of the mask.
type refusal struct {
	call        uint32
	argument    int
	mask, value uint32
	err         unix.Errno
}

// request refuses a request to a device.
func request(number uint32, err unix.Errno) refusal {
	return refusal{call: unix.SYS_IOCTL, argument: 1, mask: ^uint32(0), value: number, err: err}
}

// The requests to KVM.
const (
	kvmCreateVM      = 0xAE01
	kvmCreateVCPU    = 0xAE41
	kvmSetUserMemory = 0x4020AE46
	kvmRun           = 0xAE80
	kvmGetSpecial    = 0x8138AE83
	kvmSetSpecial    = 0x4138AE84
)

// guestMemory refuses the mappings that guests' memory is in, and no other of these tests.
func guestMemory(err unix.Errno) refusal {
	return refusal{call: unix.SYS_MMAP, argument: 3, mask: unix.MAP_NORESERVE, value: unix.MAP_NORESERVE, err: err}
}

// refuse has the kernel refuse these on this thread, on which the test stays. The thread ends with the test.
func refuse(t *testing.T, refusals ...refusal) {
	t.Helper()
	runtime.LockOSThread()
	require.NoError(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	for _, refusal := range refusals {
		require.NoError(t, install(refusal, 0))
	}
}

// install adds a filter, which nothing takes away again.
func install(r refusal, flags uintptr) error {
	const (
		load     = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		jump     = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		and      = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		end      = unix.BPF_RET | unix.BPF_K
		number   = 0
		argument = 16 // in struct seccomp_data, the first one's lower half
	)
	program := []unix.SockFilter{
		{Code: load, K: number},
		{Code: jump, K: r.call, Jf: 4},
		{Code: load, K: uint32(argument + 8*r.argument)},
		{Code: and, K: r.mask},
		{Code: jump, K: r.value, Jf: 1},
		{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(r.err)},
		{Code: end, K: unix.SECCOMP_RET_ALLOW},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, err := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&filter)))
	runtime.KeepAlive(program)
	if err != 0 {
		return err
	}
	return nil
}
