package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// machine is a running QEMU process with one socket for each port.
type machine struct {
	cmd     *exec.Cmd
	ports   map[port]net.Conn
	console tail // what the guest's kernel said
	stderr  tail // what QEMU said
	done    chan struct{}
	err     error // why QEMU ended; set once done is closed
}

const qemuName = "qemu-system-x86_64"

// findQEMU returns QEMU's path.
func findQEMU() (string, error) {
	path, err := exec.LookPath(qemuName)
	if err != nil {
		return "", fmt.Errorf("%s is not on PATH: install it (`apt-get install qemu-system-x86 seabios`)", qemuName)
	}
	return path, nil
}

// kernelParameters for a machine that lives for seconds: no protection of
// itself, and the end at a panic. The CPUs' time stamp counters are one counter
// of the host's, which the kernel cannot know; without them, reading the time
// costs 3 µs instead of 0.2. Nor is there a need to find out whether the timer
// works: on a busy host it looks as if it did not, and the kernel gives up.
var kernelParameters = []string{
	"console=ttyS0", "quiet", "panic=-1", "oops=panic", "mitigations=off", "nokaslr",
	"random.trust_cpu=on", "audit=0", "tsc=reliable", "no_timer_check",
}

// startMachine boots the kernel with the initramfs. The process dies with the
// thread that calls it, which therefore has to be locked.
func startMachine(cfg *config, qemu string, k *kernel, initrd *os.File) (*machine, error) {
	m := &machine{ports: make(map[port]net.Conn), done: make(chan struct{})}
	args := []string{
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
		"-machine", "q35,vmport=off,graphics=off",
		"-cpu", "EPYC,+svm,+npt",
		"-m", strconv.FormatInt(cfg.memoryBytes>>20, 10) + "M",
		"-rtc", "base=utc",
		"-net", "none",
		"-kernel", k.image,
		"-append", strings.Join(kernelParameters, " "),
	}
	if cfg.icount {
		// One virtual nanosecond is one instruction. Two CPUs hang under it.
		args = append(args, "-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=0")
	} else {
		args = append(args, "-accel", "tcg,thread=multi", "-smp", strconv.Itoa(cfg.cpus))
	}

	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}()
	give := func(f *os.File) int { // the file's number in QEMU
		theirs = append(theirs, f)
		return 3 + len(theirs) - 1
	}
	socket := func(name string) (net.Conn, error) {
		ours, its, err := socketPair()
		if err != nil {
			return nil, fmt.Errorf("connect the machine's %s: %w", name, err)
		}
		args = append(args, "-chardev", fmt.Sprintf("socket,id=%s,fd=%d", name, give(its)))
		return ours, nil
	}

	args = append(args, "-initrd", fmt.Sprintf("/proc/self/fd/%d", give(initrd)))
	console, err := socket("console")
	if err != nil {
		return nil, err
	}
	args = append(args, "-serial", "chardev:console", "-device", "virtio-serial-pci,max_ports=8")
	for p := port(1); p < portEnd; p++ {
		if m.ports[p], err = socket(portNames[p]); err != nil {
			return nil, err
		}
		args = append(args, "-device", fmt.Sprintf("virtserialport,chardev=%s,nr=%d", portNames[p], int(p)))
	}

	m.cmd = exec.Command(qemu, args...)
	m.cmd.ExtraFiles = theirs
	m.cmd.Stderr = &m.stderr
	m.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // Ctrl-C is ours to handle
		Pdeathsig: syscall.SIGKILL,
	}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", qemu, err)
	}
	var consoleRead sync.WaitGroup
	consoleRead.Go(func() { m.console.readFrom(console) })
	go func() {
		if m.err = m.cmd.Wait(); m.err == nil {
			m.err = errors.New("it was restarted or switched off") // a kernel panic does
		}
		consoleRead.Wait()
		close(m.done)
	}()
	return m, nil
}

// kill ends the machine, and returns when it is gone. What it sent before can
// still be read from its ports.
func (m *machine) kill() {
	_ = m.cmd.Process.Kill()
	<-m.done
}

// close ends the machine and its ports.
func (m *machine) close() {
	m.kill()
	for _, conn := range m.ports {
		_ = conn.Close()
	}
}

// diagnosis is what is known about a machine that failed.
func (m *machine) diagnosis() string {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintf(&b, "\n--- %s\n%s", title, text)
		}
	}
	// It warns of each feature of the CPU's model that it lacks; nothing here
	// needs them.
	section(qemuName, m.stderr.lastLines(20, "TCG doesn't support requested feature"))
	section("the machine's console", m.console.lastLines(80))
	return b.String()
}

// socketPair returns a connection and the other end of it for a child process.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket")
	conn, err := net.FileConn(ours) // a duplicate
	if err = errors.Join(err, ours.Close()); err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}
