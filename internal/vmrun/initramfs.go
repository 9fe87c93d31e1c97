package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/cavaliergopher/cpio"
	"golang.org/x/sys/unix"
)

// initramfs writes the machine's only file system. It is not compressed: the
// software CPU would need longer to unpack it than QEMU needs to load it.
type initramfs struct {
	mem   *os.File // in memory, so that no run can leave a file behind
	cpio  *cpio.Writer
	seen  map[string]bool
	size  int64
	limit int64 // bytes
}

// tooBigError says that the files do not fit into the machine.
type tooBigError struct {
	path  string
	limit int64
}

func (e *tooBigError) Error() string {
	return fmt.Sprintf("the files for the machine take more than %d MiB (reached at %s): "+
		"run from a smaller directory, since the working directory is packed, or give it more --memory", e.limit>>20, e.path)
}

func newInitramfs(limit int64) (*initramfs, error) {
	fd, err := unix.MemfdCreate("vmrun-initramfs", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create the initramfs: %w", err)
	}
	mem := os.NewFile(uintptr(fd), "initramfs")
	return &initramfs{mem: mem, cpio: cpio.NewWriter(mem), seen: make(map[string]bool), limit: limit}, nil
}

// finish completes the archive and returns its file, which the caller closes.
func (i *initramfs) finish() (*os.File, error) {
	if err := i.cpio.Close(); err != nil {
		return nil, fmt.Errorf("write the initramfs: %w", err)
	}
	return i.mem, nil
}

// claim reports whether path is new, after making sure of its parents, which
// the kernel does not create.
func (i *initramfs) claim(name string) (bool, error) {
	if i.seen[name] {
		return false, nil
	}
	if err := i.dir(path.Dir(name)); err != nil {
		return false, err
	}
	i.seen[name] = true
	return true, nil
}

// dir adds a directory, and its parents.
func (i *initramfs) dir(name string) error {
	if name == "/" || name == "." {
		return nil
	}
	if ok, err := i.claim(name); !ok {
		return err
	}
	return i.header(&cpio.Header{Name: name, Mode: cpio.TypeDir | 0o755, Links: 2, ModTime: time.Now()})
}

// symlink adds a symbolic link.
func (i *initramfs) symlink(name, target string) error {
	if ok, err := i.claim(name); !ok {
		return err
	}
	hdr := &cpio.Header{
		Name: name, Linkname: target, Size: int64(len(target)),
		Mode: cpio.TypeSymlink | 0o777, Links: 1, ModTime: time.Now(),
	}
	if err := i.header(hdr); err != nil {
		return err
	}
	// In the newc format the target is the link's content.
	_, err := io.WriteString(i.cpio, target)
	return err
}

// file adds the regular file, or what the symbolic link points to, at hostPath.
func (i *initramfs) file(name, hostPath string) error {
	if i.seen[name] {
		return nil
	}
	info, err := os.Stat(hostPath)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", hostPath)
	}
	// In one piece: its size must be known first, and may be changing.
	content, err := os.ReadFile(hostPath)
	if err != nil {
		return err
	}
	return i.regular(name, info.Mode(), info.ModTime(), content)
}

// data adds a regular file with the given content.
func (i *initramfs) data(name string, mode fs.FileMode, content []byte) error {
	return i.regular(name, mode, time.Now(), content)
}

func (i *initramfs) regular(name string, mode fs.FileMode, modTime time.Time, content []byte) error {
	if ok, err := i.claim(name); !ok {
		return err
	}
	if i.size += int64(len(content)); i.size > i.limit {
		return &tooBigError{name, i.limit}
	}
	err := i.header(&cpio.Header{
		Name: name, Mode: cpio.TypeReg | cpio.FileMode(mode.Perm()),
		Size: int64(len(content)), Links: 1, ModTime: modTime,
	})
	if err != nil {
		return err
	}
	if _, err := i.cpio.Write(content); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}

func (i *initramfs) header(hdr *cpio.Header) error {
	hdr.Name = filepath.ToSlash(hdr.Name)[1:] // relative to the root
	if err := i.cpio.WriteHeader(hdr); err != nil {
		return fmt.Errorf("pack %s: %w", hdr.Name, err)
	}
	return nil
}
