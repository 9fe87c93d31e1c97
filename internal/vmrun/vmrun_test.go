package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests boot the machine. They need QEMU and a kernel, and fail without:
// vmrun's own message tells what to install.

// vmrun is one run of the program under test.
type vmrun struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// newRun prepares `vmrun flags... THIS-TEST-BINARY args...`, always in the
// machine.
func newRun(t *testing.T, payload string, flags []string, args ...string) *vmrun {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	r := &vmrun{Cmd: exec.CommandContext(ctx, vmrunPath, append(append(flags, self), args...)...)}
	r.Env = append(os.Environ(), "HYPERLIGHT_VM=always", payloadEnv+"="+payload)
	r.Dir = t.TempDir()
	r.Stdout, r.Stderr = &r.stdout, &r.stderr
	return r
}

// exitCode runs it to its end.
func (r *vmrun) exitCode(t *testing.T) int {
	t.Helper()
	start := time.Now()
	err := r.Run()
	t.Logf("ran for %v", time.Since(start).Round(time.Millisecond))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return r.ProcessState.ExitCode()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProgramSeesWhatItWasGiven(t *testing.T) {
	odd := []string{"two words", `quo"te'`, "new\nline", "", "\xff\xfe\x01", "--icount", "-h", "$HOME `x` \\"}
	other := t.TempDir()
	named, mapped, argument := other+"/named", other+"/mapped", other+"/argument"
	for _, path := range []string{named, mapped, argument} {
		write(t, path, "content of "+path)
	}
	out := filepath.Join(other, "new", "out.txt")
	input := bytes.Repeat([]byte("\x00\r\n\x04\x1a stdin"), 200_000)

	r := newRun(t, "report", []string{"--file", mapped + ":/elsewhere/it", "--out", out}, append(odd, "-config="+argument)...)
	write(t, r.Dir+"/testdata/cwd", "in the working directory")
	write(t, r.Dir+"/module/go.mod", "module other")
	write(t, r.Dir+"/.git/config", "")
	if err := os.Symlink("testdata/cwd", r.Dir+"/link"); err != nil {
		t.Fatal(err)
	}
	paths := []string{"testdata/cwd", "link", "/elsewhere/it", named, argument, "module/go.mod", ".git/config", other + "/absent"}
	r.Env = append(r.Env, "ODD=a b\n\xff=", "HYPERLIGHT_VM_FILES="+named,
		reportFilesEnv+"="+strings.Join(paths, ":"), reportOutEnv+"="+out)
	r.Stdin = bytes.NewReader(input)

	if code := r.exitCode(t); code != reportExit {
		t.Fatalf("exit code %d, want %d; stderr:\n%s", code, reportExit, &r.stderr)
	}
	if got, want := r.stderr.String(), "only stderr\r\n\x00no newline"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	var got report
	if err := gob.NewDecoder(&r.stdout).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if want := append(append([]string{r.Args[5]}, odd...), "-config="+argument); !slices.Equal(got.Args, want) {
		t.Errorf("arguments %q, want %q", got.Args, want)
	}
	for _, want := range []string{"ODD=a b\n\xff=", insideEnv + "=1"} {
		if !slices.Contains(got.Env, want) {
			t.Errorf("the environment lacks %q", want)
		}
	}
	if got.Dir != r.Dir || got.Link != "testdata/cwd" {
		t.Errorf("working directory %q, link to %q", got.Dir, got.Link)
	}
	wantFiles := map[string]string{
		"testdata/cwd": "in the working directory", "link": "in the working directory",
		"/elsewhere/it": "content of " + mapped, named: "content of " + named, argument: "content of " + argument,
	}
	if !reflect.DeepEqual(got.Files, wantFiles) {
		t.Errorf("files %q, want %q", got.Files, wantFiles)
	}
	if got.Stdin != sha256.Sum256(input) {
		t.Error("stdin is not what was written to it")
	}
	if !got.KVM {
		t.Error("/dev/kvm does not work")
	}
	if errs := got.Listen + got.TmpExec + got.DevStdoutW; errs != "" {
		t.Errorf("listen %q, execute from /tmp %q, open /dev/stdout %q", got.Listen, got.TmpExec, got.DevStdoutW)
	}
	if got.CoreLimit != 0 || got.Hostname != "vmrun" {
		t.Errorf("core limit %d, host name %q", got.CoreLimit, got.Hostname)
	}
	if off := time.Since(got.Time); off.Abs() > 30*time.Second {
		t.Errorf("the machine's clock is off by %v", off)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != reportOutText {
		t.Errorf("output file: %q, %v", text, err)
	}
}

func TestLargeOutputArrivesWhole(t *testing.T) {
	out := t.TempDir()
	r := newRun(t, "flood", []string{"--out", out})
	r.Env = append(r.Env, reportOutEnv+"="+out)
	if code := r.exitCode(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if !bytes.Equal(r.stdout.Bytes(), floodBytes(0)) {
		t.Errorf("stdout: %d bytes differ from the %d written", r.stdout.Len(), floodSize)
	}
	if !bytes.Equal(r.stderr.Bytes(), floodBytes(1)) {
		t.Errorf("stderr: %d bytes differ from the %d written", r.stderr.Len(), floodSize)
	}
	if large, err := os.ReadFile(out + "/sub/large"); err != nil || !bytes.Equal(large, floodBytes(0)) {
		t.Errorf("large output file: %d bytes, %v", len(large), err)
	}
	if empty, err := os.ReadFile(out + "/empty"); err != nil || len(empty) != 0 {
		t.Errorf("empty output file: %d bytes, %v", len(empty), err)
	}
}

func TestDeathBySignal(t *testing.T) {
	r := newRun(t, "die", nil)
	if code, want := r.exitCode(t), 128+int(syscall.SIGKILL); code != want {
		t.Errorf("exit code %d, want %d", code, want)
	}
	if got := r.stdout.String(); got != "last words" {
		t.Errorf("stdout %q", got)
	}
	if got := r.stderr.String(); !strings.Contains(got, "signal 9 (killed)") {
		t.Errorf("stderr %q", got)
	}
}

func TestKernelPanicIsReported(t *testing.T) {
	r := newRun(t, "panic", nil)
	if code := r.exitCode(t); code != exitInfra {
		t.Errorf("exit code %d, want %d", code, exitInfra)
	}
	if got := r.stderr.String(); !strings.Contains(got, "Kernel panic - not syncing: sysrq triggered crash") {
		t.Errorf("stderr lacks the panic:\n%s", got)
	}
}

func TestRepeatableFigures(t *testing.T) {
	r := newRun(t, "measure", []string{"--icount"})
	if code := r.exitCode(t); code != 0 {
		t.Fatalf("exit code %d; stderr:\n%s", code, &r.stderr)
	}
	var figures []float64
	for _, field := range strings.Fields(r.stdout.String()) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatal(err)
		}
		figures = append(figures, n)
	}
	t.Logf("CPUs, then nanoseconds: %.0f", figures)
	if len(figures) != 6 || figures[0] != 1 {
		t.Fatalf("%d CPUs, want 1", int(figures[0]))
	}
	// The first may wait for the system to settle.
	if low, high := slices.Min(figures[2:]), slices.Max(figures[2:]); high > low*1.01 {
		t.Errorf("the same work took from %.0f to %.0f ns", low, high)
	}
}

// TestGoTestExec runs the tests of testdata/gotest the way people do.
func TestGoTestExec(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "cover.out")
	cmd := exec.Command("go", "test", "-count=1", "-v", "-exec", vmrunPath, "-coverprofile", profile, ".")
	cmd.Dir = "testdata/gotest"
	cmd.Env = append(os.Environ(), "HYPERLIGHT_VM=always")
	output, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(output, []byte("--- PASS: TestInMachine")) {
		t.Fatalf("go test: %v\n%s", err, output)
	}
	if text, err := os.ReadFile(profile); err != nil || !bytes.HasPrefix(text, []byte("mode: ")) {
		t.Errorf("coverage profile: %v\n%s", err, text)
	}
}

// A test's machine has a memory size of its own, by which its QEMU process can
// be told from others.
func qemuProcesses(t *testing.T, memory string) []int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range paths {
		cmdline, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(cmdline, []byte(qemuName)) || !bytes.Contains(cmdline, []byte("\x00-m\x00"+memory+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came true: " + what)
		}
	}
}

func TestTimeLimit(t *testing.T) {
	const memory = "1001M"
	r := newRun(t, "sleep", []string{"--memory", memory})
	r.Env = append(r.Env, "HYPERLIGHT_VM_TIMEOUT=1500ms")
	start := time.Now()
	if code := r.exitCode(t); code != exitTimeout {
		t.Errorf("exit code %d, want %d; stderr:\n%s", code, exitTimeout, &r.stderr)
	}
	if took := time.Since(start); took < 1500*time.Millisecond {
		t.Errorf("ended after %v", took)
	}
	if got := r.stderr.String(); !strings.Contains(got, "time limit (1.5s)") {
		t.Errorf("stderr %q", got)
	}
	if pids := qemuProcesses(t, memory); len(pids) > 0 {
		t.Errorf("QEMU still runs: %v", pids)
	}
}

func TestInterrupt(t *testing.T) {
	const memory = "1002M"
	r := newRun(t, "sleep", []string{"--memory", memory})
	r.Stdout = nil
	stdout, err := r.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("ready\n")) // output comes while the program runs
	if _, err := stdout.Read(line); err != nil || string(line) != "ready\n" {
		t.Fatalf("stdout %q, %v; stderr:\n%s", line, err, &r.stderr)
	}
	if len(qemuProcesses(t, memory)) != 1 {
		t.Error("its QEMU process cannot be found")
	}
	if err := r.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = r.Wait()
	if code, want := r.ProcessState.ExitCode(), 128+int(syscall.SIGINT); code != want {
		t.Errorf("exit code %d, want %d", code, want)
	}
	if pids := qemuProcesses(t, memory); len(pids) > 0 {
		t.Errorf("QEMU still runs: %v", pids)
	}
}

func TestKilledVmrunTakesTheMachineAlong(t *testing.T) {
	const memory = "1003M"
	r := newRun(t, "sleep", []string{"--memory", memory})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "QEMU runs", func() bool { return len(qemuProcesses(t, memory)) == 1 })
	if err := r.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.Wait()
	eventually(t, "QEMU is gone", func() bool { return len(qemuProcesses(t, memory)) == 0 })
}

func TestMachineThatDiesIsReported(t *testing.T) {
	const memory = "1005M"
	r := newRun(t, "sleep", []string{"--memory", memory})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	eventually(t, "QEMU runs", func() bool { pids = qemuProcesses(t, memory); return len(pids) == 1 })
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = r.Wait()
	if code := r.ProcessState.ExitCode(); code != exitInfra {
		t.Errorf("exit code %d, want %d", code, exitInfra)
	}
	if got := r.stderr.String(); !strings.Contains(got, "ended before the program did ("+qemuName+": signal: killed)") {
		t.Errorf("stderr %q", got)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for _, test := range []struct {
		name, want string
		code       int
		change     func(*vmrun)
	}{
		{"qemu", "apt-get install qemu-system-x86 seabios", exitInfra, func(r *vmrun) {
			r.Env = append(r.Env, "PATH=/nonexistent")
		}},
		{"kernel", "./build.sh", exitInfra, func(r *vmrun) {
			r.Env = append(r.Env, "HYPERLIGHT_VM_KERNEL=", "HYPERLIGHT_JS_CACHE="+r.Dir)
		}},
		{"kernel image", "vmlinuz", exitInfra, func(r *vmrun) {
			r.Env = append(r.Env, "HYPERLIGHT_VM_KERNEL="+r.Dir)
		}},
		{"binary", "no such file", exitInfra, func(r *vmrun) { r.Args = []string{"vmrun", "./absent"} }},
		{"library", "absent.so", exitInfra, func(r *vmrun) {
			r.Env = append(r.Env, "HYPERLIGHT_JS_LIBRARY=/absent.so")
		}},
		{"any binary", "no BINARY", exitUsage, func(r *vmrun) { r.Args = []string{"vmrun"} }},
		{"flag", "unknown flag: --nonsense", exitUsage, func(r *vmrun) { r.Args = []string{"vmrun", "--nonsense", "x"} }},
		{"mode", "auto, always or never", exitUsage, func(r *vmrun) { r.Env = append(r.Env, "HYPERLIGHT_VM=on") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRun(t, "sleep", []string{"--memory", "1004M", "--timeout", "2m"})
			test.change(r)
			if code := r.exitCode(t); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if got := r.stderr.String(); !strings.Contains(got, test.want) {
				t.Errorf("stderr lacks %q:\n%s", test.want, got)
			}
		})
	}
}

// TestOnTheHost is the mode without a machine.
func TestOnTheHost(t *testing.T) {
	r := newRun(t, "die", nil)
	r.Env = append(r.Env, "HYPERLIGHT_VM=never", "HYPERLIGHT_VM_KERNEL=/absent")
	_ = r.exitCode(t)
	if status := r.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("ended with %v", r.ProcessState)
	}
	if got, want := r.stdout.String(), "last words"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got := r.stderr.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "on this host") {
		t.Errorf("stderr %q", got)
	}
}
