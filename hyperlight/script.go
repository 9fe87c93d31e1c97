package hyperlight

import (
	"fmt"
	"os"
	"path/filepath"
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
// [ErrInvalidArgument], which also matches the cause, such as [io/fs.ErrNotExist].
func ScriptFile(path string) (JSScript, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		message := fmt.Sprintf("Failed to read script from '%s': %v", path, err)
		return JSScript{}, &Error{Op: "ScriptFile", Code: CodeInvalidArgument, Message: message, cause: err}
	}
	return JSScript{content: string(content), base: filepath.Dir(path)}, nil
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
