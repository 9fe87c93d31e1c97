package capi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	// LibraryName is the file name of the library, wherever it is looked for but in the system's library path.
	LibraryName = "libhyperlight_js_capi.so"
	// LibraryVariable is the environment variable that names the library's file.
	LibraryVariable = "HYPERLIGHT_JS_LIBRARY"
	// CacheVariable is the environment variable that names build.sh's cache folder.
	CacheVariable = "HYPERLIGHT_JS_CACHE"
)

// Soname is the name inside the library, and that of its file where it is installed. It holds the ABI version, so
// that libraries of several can be installed.
var Soname = fmt.Sprintf("%s.%d", LibraryName, ABIVersion)

// loader finds and loads the library, once for the process. A library is never unloaded.
var loader struct {
	mu     sync.Mutex
	loaded string // where it came from, once it is there
	path   string // given by UsePath
	bytes  []byte // given by UseBytes
}

// LoadFailure says why no library could be loaded.
type LoadFailure struct {
	// Tried lists every place, in order, each with what was wrong there.
	Tried []Attempt
	// ABIMismatch says that at least one of them is a library of another ABI version.
	ABIMismatch bool
}

// Attempt is one place where a library was looked for.
type Attempt struct {
	Place string
	Err   error
}

func (f *LoadFailure) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "no usable %s was found; tried:", LibraryName)
	for _, attempt := range f.Tried {
		fmt.Fprintf(&text, "\n  %s: %v", attempt.Place, attempt.Err)
	}
	return text.String()
}

// abiError is the failure of a library that was made for another header.
type abiError struct{ found uint32 }

func (e abiError) Error() string {
	return fmt.Sprintf("it has ABI version %d, but this program needs %d", e.found, ABIVersion)
}

// ErrLoaded says that it is too late to choose a library.
type ErrLoaded struct{ Place string }

func (e ErrLoaded) Error() string {
	return "the library was loaded before, from " + e.Place
}

// UsePath makes Load take this file and nothing else.
func UsePath(path string) error {
	return choose(func() { loader.path, loader.bytes = path, nil })
}

// UseBytes makes Load take this library, which it copies into memory that no file system shows.
func UseBytes(library []byte) error {
	return choose(func() { loader.path, loader.bytes = "", library })
}

func choose(set func()) error {
	loader.mu.Lock()
	defer loader.mu.Unlock()
	if loader.loaded != "" {
		return ErrLoaded{loader.loaded}
	}
	set()
	return nil
}

// Load loads the library unless it is loaded, and says where it came from. After a failure it may be
// called again, but a library that was loaded and then refused is not looked at again at the same path. The error is a
// *LoadFailure, or errors.ErrUnsupported on another platform.
func Load() (place string, err error) {
	loader.mu.Lock()
	defer loader.mu.Unlock()
	if loader.loaded != "" {
		return loader.loaded, nil
	}
	if err := supported(); err != nil {
		return "", err
	}
	failure := &LoadFailure{}
	for _, place := range places() {
		err := place.open()
		if err == nil {
			loader.loaded, loader.bytes = place.name, nil
			return place.name, nil
		}
		failure.Tried = append(failure.Tried, Attempt{place.name, err})
		if _, ok := err.(abiError); ok {
			failure.ABIMismatch = true
		}
	}
	return "", failure
}

// place is somewhere a library may be.
type place struct {
	name string
	open func() error
}

// places lists where to look, in order. What the program or the user chose is the only place then:
// silently taking another library would be worse than failing.
func places() []place {
	switch {
	case loader.path != "":
		return []place{filePlace("the path given by the program", loader.path)}
	case loader.bytes != nil:
		return []place{bytesPlace("the bytes given by the program", loader.bytes)}
	}
	if path := os.Getenv(LibraryVariable); path != "" {
		return []place{filePlace("the environment variable "+LibraryVariable, path)}
	}
	if embedded != nil {
		return []place{bytesPlace("the bytes embedded in the program", embedded)}
	}
	var result []place
	if path, err := os.Executable(); err == nil {
		path = filepath.Join(filepath.Dir(path), LibraryName)
		result = append(result, filePlace("next to the executable", path))
	}
	if folder, err := CacheFolder(); err == nil {
		path := filepath.Join(folder, "lib", fmt.Sprintf("abi-%d", ABIVersion), LibraryName)
		result = append(result, filePlace("the cache of build.sh", path))
	}
	// By this name dlopen also finds a library that is linked with the program, or was refused above.
	return append(result, place{
		name: "the system's library path, " + Soname,
		open: func() error { return open(Soname) },
	})
}

func filePlace(origin, path string) place {
	return place{
		name: origin + ", " + path,
		open: func() error {
			// dlopen would search the library path for a name without a slash.
			absolute, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			if _, err := os.Stat(absolute); err != nil {
				return err
			}
			return open(absolute)
		},
	}
}

func bytesPlace(origin string, library []byte) place {
	return place{name: origin, open: func() error { return openBytes(library) }}
}

// CacheFolder is where build.sh keeps what it makes.
func CacheFolder() (string, error) {
	if folder := os.Getenv(CacheVariable); folder != "" {
		return folder, nil
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "hyperlight-js-go"), nil
}
