package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// version is a function's code.
type version struct {
	name, script string
	digest       string // of the script
}

func newVersion(name, script string) version {
	return version{name, script, fmt.Sprintf("%x", sha256.Sum256([]byte(script)))}
}

// key is the version's key in the pool. Other code has another key, so a guest never runs a version that is not wanted.
func (v version) key() string { return v.name + "@" + v.digest }

type versionKey struct{}

// in carries the code along: whoever is the first to want a version brings it to the pool.
func (v version) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, versionKey{}, v)
}

// addFunction is where the pool gets the code from.
func addFunction(ctx context.Context, _ string, sandbox *hyperlight.JSSandbox) error {
	version := ctx.Value(versionKey{}).(version)
	return sandbox.AddHandler(version.name, hyperlight.Script(version.script))
}

// functions are those that there are.
type functions struct {
	limits limits

	mu     sync.Mutex
	byName map[string]*function
}

type function struct {
	current version
	running int
}

var (
	errNoFunction = failure{http.StatusNotFound, "no_function", "there is no function of this name: PUT one", ""}
	errTooMany    = failure{http.StatusInsufficientStorage, "too_many_functions", "there are as many functions as there may be", ""}
	errBusy       = failure{http.StatusTooManyRequests, "too_many_requests", "the function handles as many events as it may", ""}
)

// put makes a version the current one, and gives the one before, if there is one.
func (f *functions) put(new version) (replaced *version, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if found, ok := f.byName[new.name]; ok {
		old := found.current
		found.current = new
		return &old, nil
	}
	if len(f.byName) >= f.limits.functions {
		return nil, errTooMany
	}
	f.byName[new.name] = &function{current: new}
	return nil, nil
}

// begin finds the current version, and counts its events, until done.
func (f *functions) begin(name string) (current version, done func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, ok := f.byName[name]
	switch {
	case !ok:
		return version{}, nil, errNoFunction
	case found.running >= f.limits.perFunction:
		return version{}, nil, errBusy
	}
	found.running++
	return found.current, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		found.running--
	}, nil
}

func (f *functions) delete(name string) (version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, ok := f.byName[name]
	if !ok {
		return version{}, errNoFunction
	}
	delete(f.byName, name)
	return found.current, nil
}
