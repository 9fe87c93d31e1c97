// Vmrun runs a program in a throw-away emulated machine where Hyperlight works.
//
// Hyperlight needs a hypervisor. Many development and CI machines have none
// that can be used, but QEMU's software CPU emulates one (nested SVM), and the
// unchanged stack runs in it. Vmrun packs a program with everything that it
// needs, boots a Linux kernel with that as its only file system, passes
// arguments, environment and streams, and ends with the program's exit status:
//
//	go build -o /tmp/vmrun .
//	go test -exec /tmp/vmrun ./...
//	go run  -exec /tmp/vmrun ./examples/run
//
// Where the host's own hypervisor boots a guest, vmrun replaces itself with the
// program instead, so the same command serves both kinds of hosts.
//
// # How it works
//
// The machine's init process is vmrun itself: the initramfs carries its
// executable as /init, so both ends of every wire are built from one source.
// There is no disk and no network but loopback, and nothing outlives a run.
//
//	host                                          guest
//	main.go, config.go     flags, where to run     init.go      PID 1
//	probe.go, boot.go      does the host do?       process.go   runs the program
//	pack.go, tree.go       what goes in            kvm.go       keeps KVM awake
//	kernel.go, elfdeps.go  what that needs
//	python.go              what Python needs
//	initramfs.go           as a cpio archive
//	machine.go             the QEMU process
//	session.go             one run          <-->   wire.go: one virtio-serial port
//	outputs.go             what comes back         each for stdin, stdout, stderr,
//	forward.go             TCP connections  <-->   control and connections
//
// A server in the machine is reached by ports of the host's loopback interface
// that vmrun was told to pass on, here by http://127.0.0.1:8080:
//
//	HYPERLIGHT_VM_PORTS=8080 go run -exec /tmp/vmrun ./server
//
// The program runs as root, in a kernel that sees no network and no disk.
// Standard output and standard error stay two streams, byte for byte; what the
// kernel says is kept apart and shown only when the machine fails.
//
// Vmrun is a tool for testing this repository, and no part of its API.
package main
