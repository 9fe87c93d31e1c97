package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// kernel is an unpacked Linux kernel package.
type kernel struct {
	image   string            // the bzImage
	modules map[string]string // path by name, with "_" for "-"
}

const kernelHelp = "unpack one with ./build.sh, or by hand (`apt-get download linux-image-VERSION-cloud-amd64`, " +
	"`dpkg -x FILE.deb DIR`) and name it with --kernel DIR or HYPERLIGHT_VM_KERNEL"

// findKernel reads the package in dir or, if dir is empty, the newest one in
// the cache.
func findKernel(dir, cache string) (*kernel, error) {
	if dir == "" {
		pattern := filepath.Join(cache, "kernel", "*")
		var err error
		if dir, err = newest(filepath.Join(pattern, "boot", "vmlinuz-*")); err != nil {
			return nil, fmt.Errorf("no kernel in %s: %s", pattern, kernelHelp)
		}
		dir = filepath.Dir(filepath.Dir(dir))
	}
	image, err := newest(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil {
		return nil, fmt.Errorf("no boot/vmlinuz-* in the kernel directory %s: %s", dir, kernelHelp)
	}
	k := &kernel{image: image, modules: make(map[string]string)}
	version := strings.TrimPrefix(filepath.Base(image), "vmlinuz-")
	for _, lib := range []string{"lib", "usr/lib"} {
		root := filepath.Join(dir, lib, "modules", version, "kernel")
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if name, suffix, ok := strings.Cut(d.Name(), ".ko"); ok && decompressors[suffix] != nil {
					k.modules[moduleName(name)] = path
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the kernel's modules: %w", err)
		}
	}
	if len(k.modules) == 0 {
		return nil, fmt.Errorf("no lib/modules/%s/**/*.ko* in the kernel directory %s: %s", version, dir, kernelHelp)
	}
	return k, nil
}

// newest returns the file last changed among those that match the pattern.
func newest(pattern string) (string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	var best string
	var bestInfo fs.FileInfo
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if bestInfo == nil || info.ModTime().After(bestInfo.ModTime()) {
			best, bestInfo = path, info
		}
	}
	if bestInfo == nil {
		return "", fs.ErrNotExist
	}
	return best, nil
}

// module is a kernel module, ready to be loaded.
type module struct {
	name  string
	image []byte
}

// load returns the named modules and all that they depend on, in the order to
// load them. A name without a file is built into the kernel, or missed when the
// machine comes up.
//
// Dependencies come from the modules themselves: modules.dep is written by
// depmod when a package is installed, and is not in one that was only unpacked.
func (k *kernel) load(names ...string) ([]module, error) {
	var order []module
	seen := make(map[string]bool)
	var visit func(name string) error
	visit = func(name string) error {
		name = moduleName(name)
		path, ok := k.modules[name]
		if !ok || seen[name] {
			return nil
		}
		seen[name] = true
		image, err := readModule(path)
		if err != nil {
			return fmt.Errorf("read kernel module %s: %w", path, err)
		}
		depends, err := moduleDepends(image)
		if err != nil {
			return fmt.Errorf("read kernel module %s: %w", path, err)
		}
		for _, dep := range depends {
			if err := visit(dep); err != nil {
				return err
			}
		}
		order = append(order, module{name, image})
		return nil
	}
	for _, name := range names {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// decompressors by what follows ".ko" in a module's file name; distributions
// differ.
var decompressors = map[string]func(io.Reader) (io.Reader, error){
	"":     func(r io.Reader) (io.Reader, error) { return r, nil },
	".xz":  func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) },
	".zst": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
}

func readModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, suffix, _ := strings.Cut(filepath.Base(path), ".ko")
	r, err := decompressors[suffix](f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// moduleDepends returns the names of the modules that a module needs.
func moduleDepends(image []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return nil, errors.New("it has no .modinfo section")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	return parseDepends(info), nil
}

// parseDepends finds the dependencies in a .modinfo section, which is a
// sequence of NUL-terminated key=value strings.
func parseDepends(info []byte) []string {
	for field := range bytes.SplitSeq(info, []byte{0}) {
		if list, ok := bytes.CutPrefix(field, []byte("depends=")); ok && len(list) > 0 {
			return strings.Split(string(list), ",")
		}
	}
	return nil
}

// moduleName is the kernel's name of a module, which files may spell with "-".
func moduleName(name string) string { return strings.ReplaceAll(name, "-", "_") }
