//go:build linux && amd64

package capi

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/stretchr/testify/assert"
)

// noFiles is a tree without files.
type noFiles struct{}

func (noFiles) Stat(string) FileKind   { return FileKindNothing }
func (noFiles) Read(File, string, int) {}

// functionFiles is a tree made of functions.
type functionFiles struct {
	stat func(path string) FileKind
	read func(file File, path string, maxLen int)
}

func (f functionFiles) Stat(path string) FileKind               { return f.stat(path) }
func (f functionFiles) Read(file File, path string, maxLen int) { f.read(file, path, maxLen) }

// callStat does what C does when the guest looks for a module.
func callStat(key uintptr, path string) FileKind {
	kind, _, _ := purego.SyscallN(callbackFunctions.stat, key, uintptr(unsafe.Pointer(unsafe.StringData(path))), uintptr(len(path)))
	runtime.KeepAlive(path)
	return FileKind(kind)
}

// callRead does what C does when the guest loads a module.
func callRead(key uintptr, file File, path string, maxLen uintptr) {
	purego.SyscallN(callbackFunctions.read, key, file.ptr, uintptr(unsafe.Pointer(unsafe.StringData(path))), uintptr(len(path)), maxLen)
	runtime.KeepAlive(path)
}

func TestFileCallbacks(t *testing.T) {
	var asked, read []string
	var limits []int
	var files []File
	key := functions.add(functionFiles{
		stat: func(path string) FileKind {
			asked = append(asked, path)
			return FileKind(len(asked))
		},
		read: func(file File, path string, maxLen int) {
			files, read, limits = append(files, file), append(read, path), append(limits, maxLen)
		},
	})
	assert.Equal(t, FileKindFile, callStat(key, strings.Clone("a/b.js")))
	assert.Equal(t, FileKindFolder, callStat(key, strings.Clone("é")))
	callRead(key, File{7}, strings.Clone("x"), 9)
	callRead(key, File{}, strings.Clone("y"), math.MaxUint)
	runtime.GC()
	assert.Equal(t, []string{"a/b.js", "é"}, asked, "paths are copied")
	assert.Equal(t, []string{"x", "y"}, read)
	assert.Equal(t, []File{{7}, {}}, files)
	assert.Equal(t, []int{9, math.MaxInt}, limits)

	callDrop(key)
	assert.Equal(t, FileKindNothing, callStat(key, "late"))
	callRead(key, File{}, "late", 1)
	assert.Len(t, asked, 2)
	assert.Len(t, read, 2)
}

func TestFileCallbacksSurvive(t *testing.T) {
	before := functions.len()
	for name, misbehave := range map[string]func(){
		"a growing stack": func() { growStack(1000) },
		"a collection":    runtime.GC,
	} {
		t.Run(name, func(t *testing.T) {
			called := 0
			key := functions.add(functionFiles{
				stat: func(string) FileKind { called++; misbehave(); return FileKindNothing },
				read: func(File, string, int) { called++; misbehave() },
			})
			assert.Equal(t, FileKindNothing, callStat(key, "x"))
			callRead(key, File{}, "x", 1)
			assert.Equal(t, 2, called)
			callDrop(key)
		})
	}
	key := functions.add(FileTree(nil))
	assert.Equal(t, FileKindNothing, callStat(key, "x"))
	callRead(key, File{}, "x", 1)
	callDrop(key)
	assert.Equal(t, before, functions.len())
}

// The tree is released exactly once, whatever became of it.
func TestFileTreesAreReleased(t *testing.T) {
	loadLibrary(t)
	before := functions.len()
	requireError(t, ProtoSandboxSetModuleLoader(ProtoSandbox{}, noFiles{}), CodeInvalidArgument, "proto is NULL")
	assert.Equal(t, before, functions.len())
	if !hypervisorPresent(t) {
		return // The rest is tested with a guest.
	}
	builder := newBuilder(t)
	proto, err := BuilderBuild(builder)
	requireOK(t, err)
	withPrint := functions.len()
	for range 3 {
		requireOK(t, ProtoSandboxSetModuleLoader(proto, noFiles{}))
		assert.Equal(t, withPrint+1, functions.len(), "the last one counts")
	}
	ProtoSandboxFree(proto)
	assert.Equal(t, before, functions.len())
}
