package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeProbeEnv tells this test binary, as the child process of a probe, how the
// host's hypervisor is.
const fakeProbeEnv = "VMRUN_TEST_HYPERVISOR"

func fakeProbe(hypervisor string) {
	switch hypervisor {
	case "works":
	case "fails":
		fmt.Fprintln(os.Stderr, "it answers:\n  no")
		os.Exit(1)
	case "crashes":
		fmt.Fprintln(os.Stderr, "SIGSEGV\n\na long trace")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hangs":
		time.Sleep(time.Hour)
	case "has no library":
		fmt.Fprintln(os.Stderr, "no library")
		os.Exit(exitProbeNotTried)
	}
}

// probeTest gives the probe a hypervisor device and a library, both just files.
func probeTest(t *testing.T, hypervisor string) *config {
	t.Helper()
	dir := t.TempDir()
	device := filepath.Join(dir, "hypervisor")
	write(t, device, "")
	write(t, filepath.Join(dir, "lib", "abi-1", libraryName), "")
	saved := hypervisorDevices
	hypervisorDevices = []string{device}
	t.Cleanup(func() { hypervisorDevices = saved })
	t.Setenv(fakeProbeEnv, hypervisor)
	return &config{cache: dir}
}

func TestProbe(t *testing.T) {
	for _, test := range []struct {
		hypervisor string
		works      bool
		text       string
	}{
		{"works", true, "works: it booted a guest"},
		{"fails", false, "boots no guest: it answers: no"},
		{"crashes", false, "boots no guest: SIGSEGV"},
	} {
		t.Run(test.hypervisor, func(t *testing.T) {
			cfg := probeTest(t, test.hypervisor)
			got, err := probeHost(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got.Works != test.works || !strings.HasSuffix(got.Text, test.text) {
				t.Errorf("%v, %q", got.Works, got.Text)
			}
		})
	}
}

func TestProbeIsCached(t *testing.T) {
	cfg := probeTest(t, "works")
	probe := func() bool {
		t.Helper()
		got, err := probeHost(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return got.Works
	}
	if !probe() {
		t.Fatal("it does not work")
	}
	t.Setenv(fakeProbeEnv, "fails")
	if !probe() {
		t.Error("the result was not kept")
	}
	write(t, findLibraries(cfg)[0], "another library")
	if probe() {
		t.Error("the result was kept for another library")
	}
	// Kept, too, and the next start of the host forgets it.
	store := filepath.Join(cfg.cache, "probe")
	r := readProbe(store)
	if r == nil || r.Works {
		t.Fatalf("stored: %+v", r)
	}
	r.Works, r.Key = true, "another boot"
	if err := writeProbe(store, r); err != nil {
		t.Fatal(err)
	}
	if probe() {
		t.Error("the result was kept over a restart")
	}
}

func TestProbeThatHangs(t *testing.T) {
	probeTest(t, "hangs")
	if err := probeInChild(200 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "hung for 200ms") {
		t.Errorf("error %v", err)
	}
}

func TestProbeThatCannotBeTried(t *testing.T) {
	t.Run("library that does not load", func(t *testing.T) {
		cfg := probeTest(t, "has no library")
		if _, err := probeHost(cfg); err == nil || err.Error() != "no library" {
			t.Errorf("error %v", err)
		}
		if exists(filepath.Join(cfg.cache, "probe")) {
			t.Error("it was stored")
		}
	})
	t.Run("no library", func(t *testing.T) {
		cfg := probeTest(t, "works")
		cfg.cache = t.TempDir()
		if _, err := probeHost(cfg); !errors.Is(err, errNoLibrary) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no device", func(t *testing.T) {
		cfg := probeTest(t, "works")
		hypervisorDevices = []string{"/dev/absent"}
		got, err := probeHost(cfg)
		if err != nil || got.Works || !strings.Contains(got.Text, "no hypervisor: no /dev/absent") {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestModeDecidesWhere(t *testing.T) {
	for _, test := range []struct {
		mode       mode
		hypervisor string
		host       bool
	}{
		{modeAuto, "works", true}, {modeAuto, "fails", false}, {modeAuto, "has no library", false},
		{modeAlways, "works", false}, {modeNever, "fails", true},
	} {
		cfg := probeTest(t, test.hypervisor)
		cfg.mode = test.mode
		if got := hostWorks(cfg); got != test.host {
			t.Errorf("%s where the hypervisor %s: on the host is %v", test.mode, test.hypervisor, got)
		}
	}
}
