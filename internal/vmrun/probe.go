package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// probeLimit is how long a hypervisor may take to boot a guest. One that works
// takes less than a second; one that does not may hang.
const probeLimit = 30 * time.Second

// probeChildEnv makes vmrun boot a guest on the host and do nothing else.
const probeChildEnv = "VMRUN_PROBE_CHILD"

// hypervisorDevices are what a hypervisor shows to programs. That one is there
// does not mean that it works.
var hypervisorDevices = []string{"/dev/kvm", "/dev/mshv"}

// probeResult says whether this host boots a guest.
type probeResult struct {
	Works bool
	Text  string // for people
	Key   string // what it depends on
}

// errNoLibrary is returned when there is nothing to boot a guest with.
var errNoLibrary = errors.New("the native library is not built yet (./build.sh builds it), so no guest can be booted")

// probeHost finds out whether this host boots a guest, by booting one. The
// result is kept until the host is restarted or the library changes.
func probeHost(cfg *config) (*probeResult, error) {
	device, err := openableDevice()
	if err != nil {
		return &probeResult{Text: err.Error()}, nil
	}
	libraries := findLibraries(cfg)
	if len(libraries) == 0 {
		return nil, errNoLibrary
	}
	key, err := probeKey(device, libraries)
	if err != nil {
		return nil, err
	}
	store := filepath.Join(cfg.cache, "probe")
	if old := readProbe(store); old != nil && old.Key == key {
		old.Text += fmt.Sprintf(" (found out before; remove %s to try again)", store)
		return old, nil
	}
	r := &probeResult{Key: key}
	err = probeInChild(probeLimit)
	if _, ok := errors.AsType[*notTriedError](err); ok {
		return nil, err
	}
	if err != nil {
		r.Text = fmt.Sprintf("%s is there, but boots no guest: %v", device, err)
	} else {
		r.Works, r.Text = true, device+" works: it booted a guest"
	}
	// Without it the next one only takes longer.
	_ = writeProbe(store, r)
	return r, nil
}

// openableDevice returns the first hypervisor device that can be opened.
func openableDevice() (string, error) {
	var errs []string
	for _, device := range hypervisorDevices {
		f, err := os.OpenFile(device, os.O_RDWR, 0)
		if err == nil {
			_ = f.Close()
			return device, nil
		}
		if errors.Is(err, os.ErrPermission) {
			errs = append(errs, fmt.Sprintf("%s cannot be opened: permission denied (as root: usermod -aG kvm USER, then log in again)", device))
		} else if !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err.Error())
		}
	}
	if len(errs) > 0 {
		return "", errors.New(strings.Join(errs, "; "))
	}
	return "", fmt.Errorf("this host has no hypervisor: no %s", strings.Join(hypervisorDevices, ", no "))
}

// probeKey is equal for two probes that must have the same result.
func probeKey(device string, libraries []string) (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("tell when this host was started: %w", err)
	}
	key := []string{strings.TrimSpace(string(boot)), device}
	for _, library := range libraries {
		info, err := os.Stat(library)
		if err != nil {
			return "", fmt.Errorf("find the native library: %w", err)
		}
		key = append(key, fmt.Sprintf("%s %d %d", library, info.Size(), info.ModTime().UnixNano()))
	}
	return strings.Join(key, "\n"), nil
}

func readProbe(path string) *probeResult {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var r probeResult
	if json.Unmarshal(text, &r) != nil {
		return nil
	}
	return &r
}

func writeProbe(path string, r *probeResult) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// probeInChild boots a guest in a process of its own, since a broken hypervisor
// may crash or hang whoever tries.
func probeInChild(limit time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), probeChildEnv+"=1")
	cmd.Stderr = &output
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(limit + 2*time.Second):
		// Not even SIGKILL ends a process that hangs in the kernel.
		return fmt.Errorf("it hung for %v and cannot be ended", limit)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("it hung for %v", limit)
	}
	text := firstParagraph(output.String())
	if cmd.ProcessState.ExitCode() == exitProbeNotTried {
		return &notTriedError{text}
	}
	if text == "" {
		return err
	}
	return errors.New(text)
}

// exitProbeNotTried is the child's exit code when it has got no further than to
// load the library.
const exitProbeNotTried = 3

// notTriedError is the error when it is not the hypervisor that failed.
type notTriedError struct{ text string }

func (e *notTriedError) Error() string { return e.text }

// probeChild is what vmrun does in the child process.
func probeChild() int {
	err := bootGuest()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := errors.AsType[*notTriedError](err); ok {
		return exitProbeNotTried
	}
	return 1
}

// firstParagraph returns the text up to the first empty line, as one line: a
// whole error message, but of a crash only the part that says why.
func firstParagraph(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n\n")
	return strings.Join(strings.Fields(text), " ")
}
