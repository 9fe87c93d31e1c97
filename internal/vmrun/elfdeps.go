package main

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// elfDeps finds the shared libraries that ELF files link, as the dynamic loader
// would: each at the path where it finds them.
type elfDeps struct {
	cache       map[string]string // path by soname, as ldconfig -p prints it
	libraryPath []string          // LD_LIBRARY_PATH
	found       map[string]bool   // paths already seen
}

// defaultLibraryDirs are searched last, and are all there is where ldconfig is
// not (musl).
var defaultLibraryDirs = []string{
	"/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib", "/usr/local/lib",
}

func newELFDeps() *elfDeps {
	d := &elfDeps{cache: make(map[string]string), found: make(map[string]bool)}
	d.libraryPath = splitDirs(os.Getenv("LD_LIBRARY_PATH"))
	// Often not on a user's PATH. Without it the default directories must do.
	for _, ldconfig := range []string{"ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"} {
		if out, err := exec.Command(ldconfig, "-p").Output(); err == nil {
			d.cache = parseLdconfig(out)
			break
		}
	}
	return d
}

// parseLdconfig reads lines such as
//
//	libm.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libm.so.6
//
// and keeps the plain x86-64 ones: a hwcap variant is only ever an alternative.
func parseLdconfig(out []byte) map[string]string {
	paths := make(map[string]string)
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		left, path, ok := strings.Cut(lines.Text(), " => ")
		if !ok {
			continue
		}
		name, kind, ok := strings.Cut(strings.TrimSpace(left), " (")
		if !ok || !strings.Contains(kind, "x86-64") || strings.Contains(kind, "hwcap") {
			continue
		}
		if _, ok := paths[name]; !ok { // the loader, too, takes the first
			paths[name] = path
		}
	}
	return paths
}

// isELF reports whether the file is an ELF file. What only begins like one is
// none: a snapshot of a guest's memory does, with the guest's program.
func isELF(path string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// missingLibraryError names what the dynamic loader would not find.
type missingLibraryError struct{ path, library string }

func (e *missingLibraryError) Error() string {
	return fmt.Sprintf("%s needs %s, which is neither in its run path, LD_LIBRARY_PATH nor `ldconfig -p`: "+
		"install the library or set LD_LIBRARY_PATH", e.path, e.library)
}

// of returns the paths of the program interpreter and of all libraries that
// the ELF file at path links, directly or not, and that were not returned yet.
// Libraries that are not found are left out and named by the error.
func (d *elfDeps) of(path string) ([]string, error) {
	var paths []string
	var missing []error
	var visit func(path string) error
	visit = func(path string) error {
		f, err := elf.Open(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		defer f.Close()
		for _, prog := range f.Progs {
			if prog.Type != elf.PT_INTERP {
				continue
			}
			interp := make([]byte, prog.Filesz)
			if _, err := prog.ReadAt(interp, 0); err != nil {
				return fmt.Errorf("read the interpreter of %s: %w", path, err)
			}
			name := string(bytes.TrimRight(interp, "\x00"))
			if d.isNew(name) {
				paths = append(paths, name)
			}
			// Libraries link the loader too, and get the one that runs.
			d.cache[filepath.Base(name)] = name
		}
		needed, err := f.ImportedLibraries()
		if err != nil {
			// A statically linked file has no dynamic section.
			return nil //nolint:nilerr
		}
		for _, name := range needed {
			lib, ok := d.resolve(name, path, f)
			if !ok {
				missing = append(missing, &missingLibraryError{path, name})
				continue
			}
			if !d.isNew(lib) {
				continue
			}
			paths = append(paths, lib)
			if err := visit(lib); err != nil {
				return err
			}
		}
		return nil
	}
	err := visit(path)
	return paths, errors.Join(append(missing, err)...)
}

// byName returns the path of the library in the loader's cache, and of what it
// links.
func (d *elfDeps) byName(name string) ([]string, error) {
	path, ok := d.search(name, defaultLibraryDirs)
	if !ok || !d.isNew(path) {
		return nil, nil
	}
	deps, err := d.of(path)
	return append(deps, path), err
}

func (d *elfDeps) isNew(path string) bool {
	seen := d.found[path]
	d.found[path] = true
	return !seen
}

// resolve finds a library that the file f at path asks for, in ld.so's order.
func (d *elfDeps) resolve(name, path string, f *elf.File) (string, bool) {
	if strings.Contains(name, "/") {
		return name, true
	}
	runpath := dynDirs(f, elf.DT_RUNPATH, path)
	rpath := dynDirs(f, elf.DT_RPATH, path)
	if len(runpath) > 0 { // then DT_RPATH does not count
		rpath = nil
	}
	return d.search(name, slices.Concat(rpath, d.libraryPath, runpath))
}

// search looks for a library in dirs, then in the cache, then in the default
// directories.
func (d *elfDeps) search(name string, dirs []string) (string, bool) {
	for _, dir := range dirs {
		if path := filepath.Join(dir, name); isELF(path) {
			return path, true
		}
	}
	if path, ok := d.cache[name]; ok {
		return path, true
	}
	for _, dir := range defaultLibraryDirs {
		if path := filepath.Join(dir, name); isELF(path) {
			return path, true
		}
	}
	return "", false
}

// dynDirs reads a list of directories from the dynamic section. $ORIGIN is the
// directory of the file itself.
func dynDirs(f *elf.File, tag elf.DynTag, path string) []string {
	values, err := f.DynString(tag)
	if err != nil {
		return nil
	}
	origin := filepath.Dir(path)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		origin = filepath.Dir(real)
	}
	var dirs []string
	for _, value := range values {
		value = strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin).Replace(value)
		dirs = append(dirs, splitDirs(value)...)
	}
	return dirs
}

func splitDirs(list string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(list, func(r rune) bool { return r == ':' || r == ';' }),
		func(dir string) bool { return !filepath.IsAbs(dir) || dirMissing(dir) })
}

func dirMissing(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}
