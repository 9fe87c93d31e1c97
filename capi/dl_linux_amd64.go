package capi

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

func supported() error { return nil }

// open loads the library at path, or by name from the system's library path.
func open(path string) error {
	handle, err := dlopen(path)
	if err != nil {
		return err
	}
	return bind(handle)
}

func dlopen(path string) (handle uintptr, err error) {
	if err := complete(path); err != nil {
		return 0, err
	}
	// dlerror is per thread; without this the text of another thread's failure could come back.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// bind checks a library's ABI version and resolves every symbol. A library that is refused stays loaded:
// unloading one whose constructors have run is not safe.
func bind(handle uintptr) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	version, err := purego.Dlsym(handle, "hljs_abi_version")
	if err != nil {
		return fmt.Errorf("it is not this library: %w", err)
	}
	symbols.hljs_abi_version = version
	if found := abiVersion(); found != ABIVersion {
		return abiError{found}
	}
	// The fields are named after the symbols.
	table := reflect.TypeOf(symbols)
	addresses := make([]uintptr, table.NumField())
	for i := range addresses {
		addresses[i], err = purego.Dlsym(handle, table.Field(i).Name)
		if err != nil {
			return fmt.Errorf("a symbol is missing: %w", err)
		}
	}
	// A struct of nothing but uintptrs has the layout of an array of them.
	copy(unsafe.Slice((*uintptr)(unsafe.Pointer(&symbols)), len(addresses)), addresses)
	return nil
}

// openBytes loads a library from memory, by way of a sealed anonymous file. The file of a loaded library
// stays open: a later one with the same descriptor number would have the same path, for which dlopen
// returns the library that it knows.
func openBytes(library []byte) error {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(LibraryName, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(LibraryName, flags)
	}
	if err != nil {
		return fmt.Errorf("memfd_create: %w", err)
	}
	file := os.NewFile(uintptr(fd), LibraryName)
	if _, err := file.Write(library); err != nil {
		return fmt.Errorf("write to the anonymous file: %w", errors.Join(err, file.Close()))
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal the anonymous file: %w", errors.Join(err, file.Close()))
	}
	handle, err := dlopen(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		return errors.Join(err, file.Close())
	}
	keptOpen = append(keptOpen, file)
	return bind(handle)
}

// keptOpen holds the anonymous files for the life of the process.
var keptOpen []*os.File
