package hyperlight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"unicode/utf8"
)

// JSScript is the source of a handler or a module; upstream's Script. It is a value: its methods return
// changed copies.
type JSScript struct{ content, base string }

// Script makes a script from its source, which must be UTF-8 without NUL bytes. Nothing is checked
// until it is used. Upstream: Script::from_content.
func Script(content string) JSScript { return JSScript{content: content} }

// ScriptFile reads a script from a file; its base path is the file's folder. Upstream: Script::from_file.
//
// # Errors
//
// [ErrInvalidArgument], which also matches the cause, such as [fs.ErrNotExist].
func ScriptFile(path string) (JSScript, error) {
	content, err := os.ReadFile(path)
	return scriptFrom("ScriptFile", path, content, err, filepath.Dir(path))
}

// ScriptFS reads a script from a file of fsys; its base path is the file's folder below "/". With the same
// fsys as [ProtoJSSandbox.SetModuleLoader] its relative imports are files of fsys. Upstream has
// include_str! and Script::with_virtual_base for this.
//
// # Errors
//
// Those of ScriptFile, and [ErrInvalidArgument] when fsys is nil.
func ScriptFS(fsys fs.FS, name string) (JSScript, error) {
	const op = "ScriptFS"
	if fsys == nil {
		return JSScript{}, invalidArgument(op, "fsys is nil")
	}
	content, err := fs.ReadFile(fsys, name)
	return scriptFrom(op, name, content, err, path.Join("/", path.Dir(name)))
}

func scriptFrom(op, name string, content []byte, err error, base string) (JSScript, error) {
	if err == nil && !utf8.Valid(content) {
		err = errors.New("stream did not contain valid UTF-8") // upstream's words
	}
	if err != nil {
		message := fmt.Sprintf("Failed to read script from '%s': %v", name, err)
		return JSScript{}, &Error{Op: op, Code: CodeInvalidArgument, Message: message, cause: err}
	}
	return JSScript{content: string(content), base: base}, nil
}

// WithVirtualBase sets the base path, to which a handler's relative imports are relative; it also stands
// in stack traces. Modules have none. Upstream: Script::with_virtual_base.
func (s JSScript) WithVirtualBase(base string) JSScript {
	s.base = base
	return s
}

// Content is the source. Upstream: Script::content.
func (s JSScript) Content() string { return s.content }

// BasePath is the base path, or empty. Upstream: Script::base_path.
func (s JSScript) BasePath() string { return s.base }
