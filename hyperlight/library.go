package hyperlight

import (
	"errors"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// LibraryInfo describes the native library, in which upstream is.
type LibraryInfo struct {
	// Place says where it was found, with its path if it has one.
	Place string
	// Version is its version, like "0.1.0".
	Version string
	// ABIVersion is the version of its C ABI.
	ABIVersion uint32
	// Features are the optional features that it was built with, sorted: those that its
	// `./build.sh --features LIST` was given, of crashdump, gdb, print_debug and trace_guest.
	Features []string
	// Runtime is the guest runtime that it embeds: "hyperlight-js-runtime 0.4.0", which is upstream's own
	// and its version, or, after `./build.sh --runtime PATH`, "custom, sha256 " and the hash of that
	// runtime's file, in hexadecimal.
	Runtime string
}

// Library loads the native library, as [New] would, and describes it. Upstream has none: a Rust program
// is linked with it.
//
// These places are looked at, in order: what [UseLibraryFile] or [UseLibrary] gave; the environment
// variable HYPERLIGHT_JS_LIBRARY; the library embedded by the build tag hyperlight_embed; the folder
// of the executable; the cache of build.sh (the folder in the environment variable
// HYPERLIGHT_JS_CACHE, or hyperlight-js-go in the user's cache folder); the system's library path, where
// its name ends in its ABI version, as `./build.sh install` installs it. The
// first three are choices: when one is made, nothing else is tried. A library is loaded once and
// never unloaded.
//
// # Errors
//
// [ErrLibraryNotFound] and [ErrABIMismatch], with every place that was tried; [ErrUnsupported] on
// other platforms than linux/amd64.
func Library() (LibraryInfo, error) {
	place, err := loadLibrary("Library")
	if err != nil {
		return LibraryInfo{}, err
	}
	info := LibraryInfo{
		Place: place, Version: capi.Version(), ABIVersion: capi.ABIVersion, Runtime: capi.Runtime(),
	}
	if features := capi.Features(); features != "" {
		info.Features = strings.Split(features, ",")
	}
	return info, nil
}

// UseLibraryFile makes this program use the native library at path, and no other; the last choice counts.
// Call it before the first [New], or whatever else loads the library. The file is opened then. Upstream
// has none.
//
// # Errors
//
// [ErrInvalidArgument] for an empty path; [ErrLibraryLoaded] when it is too late.
func UseLibraryFile(path string) error {
	const op = "UseLibraryFile"
	if path == "" {
		return invalidArgument(op, "the path is empty")
	}
	return chosen(op, capi.UsePath(path))
}

// UseLibrary makes this program use these bytes as the native library, and no other; for programs
// that embed it. The last choice counts. The bytes go into a sealed anonymous file, so that nothing is
// written to disk. Call it before the first [New], or whatever else loads the library, and do not change
// the bytes until that has returned. Upstream has none.
//
// # Errors
//
// [ErrInvalidArgument] for no bytes; [ErrLibraryLoaded] when it is too late.
func UseLibrary(library []byte) error {
	const op = "UseLibrary"
	if len(library) == 0 {
		return invalidArgument(op, "the library is empty")
	}
	return chosen(op, capi.UseBytes(library))
}

func chosen(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Code: CodeLibraryLoaded, Message: err.Error(), cause: err}
}

// loadLibrary loads the library, once.
func loadLibrary(op string) (place string, err error) {
	place, err = capi.Load()
	return place, libraryError(op, err)
}

func libraryError(op string, err error) error {
	if err == nil {
		return nil
	}
	code := CodeUnsupported
	if failure := (*capi.LoadFailure)(nil); errors.As(err, &failure) {
		code = CodeLibraryNotFound
		if failure.ABIMismatch {
			code = CodeABIMismatch
		}
	}
	return &Error{Op: op, Code: code, Message: err.Error(), cause: err}
}
