package capi

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// dropCapabilities makes file permissions count for root too. It does so for this thread, on which the
// calling goroutine stays.
func dropCapabilities() error {
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

// anonymousFile describes the memory file that a library was loaded from.
func anonymousFile() outcome {
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return errorOutcome(err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(target, "/memfd:"+LibraryName) {
			continue
		}
		text, err := describeFile(link)
		return outcome{Text: text, Err: errorOutcome(err).Err}
	}
	return outcome{Err: "there is none"}
}

func describeFile(link string) (string, error) {
	var fd int
	if _, err := fmt.Sscan(filepath.Base(link), &fd); err != nil {
		return "", err
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return "", err
	}
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return "", err
	}
	_, writing := unix.Write(fd, []byte("x"))
	const all = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	return fmt.Sprintf("closed on exec: %v, sealed: %v, writing: %v",
		flags&unix.FD_CLOEXEC != 0, seals&all == all, writing), nil
}

// buildWithoutDescriptors builds a sandbox where no device can be opened.
func buildWithoutDescriptors() outcome {
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{}); err != nil {
		return errorOutcome(err)
	}
	present, failure := IsHypervisorPresent()
	if failure != nil {
		return errorOutcome(failure)
	}
	builder, failure := BuilderNew()
	if failure != nil {
		return errorOutcome(failure)
	}
	defer BuilderFree(builder)
	proto, failure := BuilderBuild(builder)
	defer ProtoSandboxFree(proto)
	if failure == nil {
		return outcome{Err: "it was built"}
	}
	return outcome{Text: fmt.Sprintf("present: %v, code: %d, %s", present, failure.Code, failure.Message)}
}
