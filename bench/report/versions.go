package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"github.com/pelletier/go-toml/v2"
)

// versions are those of all that has a say in the figures: upstream, compilers, and the machine.
func (c *collectCommand) versions() (map[string]string, error) {
	all := map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go")}
	for name, command := range map[string][]string{
		"Rust":       {"rustc", "--version"},
		"C compiler": {"cc", "--version"},
	} {
		version, err := versionOf(command...)
		if err != nil {
			return nil, err
		}
		all[name] = version
	}
	if err := crates(filepath.Join(c.Bench, "..", "Cargo.lock"), all); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(chosen(c.Size, c.Only), func(one contestant) bool { return c.native() || one.place != counted }) {
		all["host's CPU"] = cpuid.CPU.BrandName
	}
	if c.native() {
		release, err := os.ReadFile("/proc/sys/kernel/osrelease")
		all["kernel"] = strings.TrimSpace(string(release))
		return all, err
	}
	var err error
	if all["QEMU"], err = versionOf("qemu-system-x86_64", "--version"); err != nil {
		return nil, err
	}
	all["kernel"], err = guestKernel()
	return all, err
}

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// versionOf is the version in the first line that a command prints.
func versionOf(command ...string) (string, error) {
	output, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	first, _, _ := strings.Cut(string(output), "\n")
	// What Debian puts in brackets before the version, of a C compiler say, is the package's.
	if _, after, found := strings.Cut(first, ") "); found && versionNumber.MatchString(after) {
		first = after
	}
	return versionNumber.FindString(first), nil
}

// crates are the versions of upstream.
func crates(lockFile string, all map[string]string) error {
	text, err := os.ReadFile(lockFile)
	if err != nil {
		return err
	}
	var lock struct {
		Package []struct{ Name, Version string }
	}
	if err := toml.Unmarshal(text, &lock); err != nil {
		return fmt.Errorf("%s: %w", lockFile, err)
	}
	for _, crate := range lock.Package {
		if crate.Name == "hyperlight-js" || crate.Name == "hyperlight-host" {
			all[crate.Name] = crate.Version
		}
	}
	return nil
}

// guestKernel is the version of the kernel that vmrun boots: the newest that it finds.
func guestKernel() (string, error) {
	pattern := filepath.Join(os.Getenv("HYPERLIGHT_VM_KERNEL"), "boot", "vmlinuz-*")
	if os.Getenv("HYPERLIGHT_VM_KERNEL") == "" {
		pattern = filepath.Join(os.Getenv("HYPERLIGHT_JS_CACHE"), "kernel", "*", "boot", "vmlinuz-*")
	}
	images, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	newest, when := "", int64(0)
	for _, image := range images {
		info, err := os.Stat(image)
		if err != nil {
			return "", err
		}
		if changed := info.ModTime().UnixNano(); changed > when {
			newest, when = strings.TrimPrefix(filepath.Base(image), "vmlinuz-"), changed
		}
	}
	if newest == "" {
		return "", fmt.Errorf("there is no kernel in HYPERLIGHT_VM_KERNEL, nor in HYPERLIGHT_JS_CACHE; ./build.sh bench fetches one")
	}
	return newest, nil
}
