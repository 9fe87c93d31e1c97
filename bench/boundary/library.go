package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ebitengine/purego"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// library has the addresses of the functions that all contestants call.
type library struct{ features, builderNew, setPrint uintptr }

// load loads the library for this package and for the others, which get the same.
func load() (*library, error) {
	path := os.Getenv(capi.LibraryVariable)
	if path == "" {
		folder, err := capi.CacheFolder()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(folder, "lib", fmt.Sprintf("abi-%d", capi.ABIVersion), capi.LibraryName)
	}
	if err := capi.UsePath(path); err != nil {
		return nil, err
	}
	if _, err := capi.Load(); err != nil {
		return nil, err
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, err
	}
	lib := &library{}
	for name, address := range map[string]*uintptr{
		"hljs_features": &lib.features, "hljs_builder_new": &lib.builderNew, "hljs_builder_set_print": &lib.setPrint,
	} {
		if *address, err = purego.Dlsym(handle, name); err != nil {
			return nil, err
		}
	}
	return lib, nil
}

// newBuilder makes a builder. It lives as long as the process.
func (l *library) newBuilder() (uintptr, error) {
	var create func(builder, failure *uintptr) uint32
	purego.RegisterFunc(&create, l.builderNew)
	var builder, failure uintptr
	if code := create(&builder, &failure); code != 0 {
		return 0, fmt.Errorf("hljs_builder_new: code %d", code)
	}
	return builder, nil
}
