package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// isGuestInit reports whether this process is the emulated machine's init.
func isGuestInit() bool {
	if os.Getpid() != 1 {
		return false
	}
	_, err := os.Stat(jobPath)
	return err == nil
}

// guestInit is the life of the machine. It never returns: the host ends the
// machine once it has everything. What init prints goes to the kernel's
// console, which the host shows when the machine fails.
func guestInit() {
	if err := serveJob(); err != nil {
		fmt.Println("vmrun init:", err)
		// The control port is not there to say it: end the machine, so that
		// the host need not wait.
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	}
	select {}
}

func serveJob() error {
	f, err := os.Open(jobPath)
	if err != nil {
		return err
	}
	var j job
	if err := gob.NewDecoder(f).Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	_ = f.Close()

	// The two sets of modules do not depend on each other.
	kvm := make(chan error, 1)
	go func() { kvm <- loadModules(j.KVM) }()
	virtio := make(chan error, 1)
	go func() { virtio <- loadModules(j.Virtio) }()
	setup := setUpSystem()
	if err := <-virtio; err != nil {
		return err
	}
	ports, err := openPorts()
	if err != nil {
		return err
	}
	control := gob.NewEncoder(ports[portControl])
	fail := func(err error) error {
		return control.Encode(message{Failed: err.Error()})
	}
	if err := errors.Join(setup, <-kvm); err != nil {
		return fail(err)
	}
	if err := holdKVM(); err != nil {
		return fail(fmt.Errorf("KVM does not work in the machine: %w", err))
	}
	if j.Serve {
		if err := serveForwards(ports[portNetwork]); err != nil {
			return fail(err)
		}
	}
	if err := control.Encode(message{Up: &upMessage{Uptime: uptime()}}); err != nil {
		return err
	}
	// A file's time may be a tick behind the clock's.
	started := time.Now().Add(-time.Second)
	exit, err := runProcess(&j, ports)
	if err != nil {
		return fail(err)
	}
	if err := sendFiles(control, j.Outs, started); err != nil {
		return fail(err)
	}
	return control.Encode(message{Exit: exit})
}

// setUpSystem makes the kernel look like a Linux system to programs.
func setUpSystem() error {
	var errs []error
	mount := func(fstype, path string, flags uintptr, data string) {
		if err := os.MkdirAll(path, 0o755); err != nil {
			errs = append(errs, err)
			return
		}
		if err := unix.Mount(fstype, path, fstype, flags, data); err != nil {
			errs = append(errs, fmt.Errorf("mount %s: %w", path, err))
		}
	}
	mount("proc", "/proc", 0, "")
	mount("sysfs", "/sys", 0, "")
	mount("devtmpfs", "/dev", 0, "")
	mount("tmpfs", "/dev/shm", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
	mount("devpts", "/dev/pts", unix.MS_NOSUID|unix.MS_NOEXEC, "ptmxmode=0666")
	for link, target := range map[string]string{
		"/dev/fd":     "/proc/self/fd",
		"/dev/stdin":  "/proc/self/fd/0",
		"/dev/stdout": "/proc/self/fd/1",
		"/dev/stderr": "/proc/self/fd/2",
	} {
		errs = append(errs, os.Symlink(target, link))
	}
	// The root file system is a tmpfs itself, so /tmp needs no mount; one would
	// hide what was packed there.
	errs = append(errs, os.Chmod("/tmp", 0o777|os.ModeSticky), os.Chmod("/", 0o755))
	errs = append(errs, loopbackUp(), unix.Sethostname([]byte("vmrun")))
	// A core dump would only cost time. The limits on files are a usual
	// distribution's; the kernel's own is far lower.
	errs = append(errs,
		syscall.Setrlimit(unix.RLIMIT_CORE, &syscall.Rlimit{}),
		syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1024, Max: 1 << 20}))
	return errors.Join(errs...)
}

// loopbackUp sets the interface lo up, which also gives it its addresses.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

func loadModules(paths []string) error {
	for _, path := range paths {
		image, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Not finit_module: some kernels refuse it for files in a ramfs.
		if err := unix.InitModule(image, ""); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load kernel module %s: %w", path, err)
		}
		_ = os.Remove(path)
	}
	return nil
}

// openPorts opens every port but 0. The kernel finds the ports on its own time
// after the driver is there.
func openPorts() (map[port]*os.File, error) {
	ports := make(map[port]*os.File)
	deadline := time.Now().Add(30 * time.Second)
	for p := port(1); p < portEnd; p++ {
		for {
			// Not os.OpenFile: these writes must block, and need no poller.
			fd, err := unix.Open(p.guestPath(), unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err == nil {
				ports[p] = os.NewFile(uintptr(fd), portNames[p])
				break
			}
			if time.Now().After(deadline) {
				return nil, fmt.Errorf("open the %s port %s: %w", portNames[p], p.guestPath(), err)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return ports, nil
}

func uptime() time.Duration {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}
