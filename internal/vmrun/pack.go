package main

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Limits on what is packed unasked, the working directory. Larger files are
// build products; more files mean that it is no project's directory.
const (
	maxTreeFile  = 64 << 20 // bytes
	maxTreeSize  = 512 << 20
	maxTreeFiles = 50_000
)

// packer decides what goes into the machine.
type packer struct {
	fs   *initramfs
	deps *elfDeps
}

// pack writes the initramfs for one run.
func pack(cfg *config, k *kernel, j *job) (*os.File, error) {
	// The kernel unpacks into a tmpfs, which may use half of the memory, while
	// the archive itself still takes as much again.
	root, err := newInitramfs(cfg.memoryBytes / 3)
	if err != nil {
		return nil, err
	}
	p := &packer{fs: root, deps: newELFDeps()}
	if err := p.packAll(cfg, k, j); err != nil {
		_ = root.mem.Close()
		return nil, err
	}
	return root.finish()
}

func (p *packer) packAll(cfg *config, k *kernel, j *job) error {
	if err := p.system(cfg); err != nil {
		return err
	}
	var err error
	if j.KVM, err = p.modules(k, "kvm-amd"); err != nil {
		return err
	}
	if j.Virtio, err = p.modules(k, "virtio_pci", "virtio_console"); err != nil {
		return err
	}
	if err := p.elf(j.Path, j.Path); err != nil {
		return err
	}
	for _, folder := range cfg.python {
		if err := p.python(folder); err != nil {
			return fmt.Errorf("pack Python's standard library: %w", err)
		}
	}
	for _, file := range cfg.files {
		if err := p.named(file.guest, file.host); err != nil {
			return fmt.Errorf("pack %s: %w", file.host, err)
		}
	}
	if err := p.shim(cfg); err != nil {
		return fmt.Errorf("pack the shim: %w", err)
	}
	if err := p.tree(j.Dir); err != nil {
		return fmt.Errorf("pack the working directory: %w", err)
	}
	if err := p.outDirs(j.Outs); err != nil {
		return fmt.Errorf("pack the directories for output files: %w", err)
	}
	// Last, since the host's own programs come first where they were asked for.
	if err := p.busybox(); err != nil {
		return fmt.Errorf("pack busybox: %w", err)
	}
	var spec bytes.Buffer
	if err := gob.NewEncoder(&spec).Encode(j); err != nil {
		return err
	}
	return p.fs.data(jobPath, 0o400, spec.Bytes())
}

// system adds init, and the few files in /etc that the C library reads.
func (p *packer) system(cfg *config) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := p.elf("/init", self); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"/etc/passwd":        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
		"/etc/group":         "root:x:0:\nnogroup:x:65534:\n",
		"/etc/hosts":         "127.0.0.1 localhost vmrun\n::1 localhost\n",
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
		"/etc/hostname":      "vmrun\n",
	} {
		if err := p.fs.data(name, 0o644, []byte(content)); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/root", "/tmp", cfg.home} {
		if err := p.fs.dir(dir); err != nil {
			return err
		}
	}
	// Libraries are packed where the host has them, so the host's cache tells
	// the guest's loader where that is.
	for _, name := range []string{"/etc/ld.so.cache", "/etc/localtime"} {
		if err := p.fs.file(name, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Loaded by name when a thread is cancelled.
	libs, err := p.deps.byName("libgcc_s.so.1")
	if err != nil {
		return err
	}
	return p.libraries(libs)
}

// busybox adds the usual commands. Nothing here needs them, programs may.
func (p *packer) busybox() error {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return nil
	}
	applets, err := exec.Command(path, "--list").Output()
	if err != nil {
		return nil
	}
	if err := p.elf("/bin/busybox", path); err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(applets)) {
		if err := p.fs.symlink("/bin/"+name, "busybox"); err != nil {
			return err
		}
	}
	return nil
}

// modules adds kernel modules with their dependencies, and returns their paths
// in the guest.
func (p *packer) modules(k *kernel, names ...string) ([]string, error) {
	modules, err := k.load(names...)
	if err != nil {
		return nil, err
	}
	var guest []string
	for _, m := range modules {
		path := "/.vmrun/modules/" + m.name
		if err := p.fs.data(path, 0o400, m.image); err != nil {
			return nil, err
		}
		guest = append(guest, path)
	}
	return guest, nil
}

// elf adds a file and, if it is an ELF file, what it links.
func (p *packer) elf(guest, host string) error {
	if err := p.fs.file(guest, host); err != nil {
		return err
	}
	if !isELF(host) {
		return nil
	}
	libs, err := p.deps.of(host)
	if err != nil {
		return err
	}
	return p.libraries(libs)
}

func (p *packer) libraries(paths []string) error {
	for _, path := range paths {
		if err := p.fs.file(path, path); err != nil {
			return err
		}
	}
	return nil
}

// named adds a file or directory that was asked for, whatever is in it.
func (p *packer) named(guest, host string) error {
	info, err := os.Stat(host)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return p.elf(guest, host)
	}
	return p.walk(guest, host)
}

// shim adds libhyperlight_js_capi.so, which programs load at run time. A program
// that does not need it runs without.
func (p *packer) shim(cfg *config) error {
	if cfg.library != "" {
		return p.elf(cfg.library, cfg.library)
	}
	if len(findLibraries(cfg)) == 0 {
		return nil
	}
	lib := filepath.Join(cfg.cache, "lib")
	return p.named(lib, lib)
}

// findLibraries returns where the shim is: the one that the environment names,
// or all that the cache holds.
func findLibraries(cfg *config) []string {
	if cfg.library != "" {
		return []string{cfg.library}
	}
	// The only possible error is a malformed pattern.
	paths, _ := filepath.Glob(filepath.Join(cfg.cache, "lib", "abi-*", libraryName))
	return paths
}

// outDirs adds the directories that output files are written to.
func (p *packer) outDirs(outs []string) error {
	for _, out := range outs {
		dir := filepath.Dir(out)
		if info, err := os.Stat(out); err == nil && info.IsDir() {
			dir = out
		}
		if err := p.fs.dir(dir); err != nil {
			return err
		}
	}
	return nil
}

// walk adds the directory at host with all that is in it. Symbolic links stay
// what they are, and special files stay outside.
func (p *packer) walk(guest, host string) error {
	return filepath.WalkDir(host, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return p.entry(filepath.Join(guest, strings.TrimPrefix(path, host)), path, d)
	})
}

// entry adds one directory entry.
func (p *packer) entry(guest, host string, d fs.DirEntry) error {
	switch {
	case d.IsDir():
		return p.fs.dir(guest)
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(host)
		if err != nil {
			return err
		}
		return p.fs.symlink(guest, target)
	case d.Type().IsRegular():
		return p.elf(guest, host)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// guestEnv is the caller's environment without what would be wrong in the
// machine.
func guestEnv(env []string) []string {
	env = slices.Clone(env)
	env = slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH", "TMPDIR", "LD_PRELOAD", insideEnv:
			return true
		}
		return false
	})
	return append(env, "PATH=/bin:/usr/bin:/usr/local/bin:/sbin:/usr/sbin", insideEnv+"=1")
}

// insideEnv tells a program that it runs in the machine, which is slower than
// the host.
const insideEnv = "HYPERLIGHT_VM_INSIDE"
