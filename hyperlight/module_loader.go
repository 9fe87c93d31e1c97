package hyperlight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"syscall"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// SetModuleLoader gives the guest files to import: those of fsys, an [embed.FS] or [os.DirFS] or any other.
// The last call wins. Upstream: ProtoJSSandbox::set_module_loader, whose FileSystem fsys becomes; embed.FS
// takes the place of embed_modules!.
//
// # Names
//
// A name is looked for among host modules, user modules ("user:name"), built-in modules ("io", "crypto",
// "console", "require"), and then in fsys, whose root is "/", as Node.js does it:
//
//   - "./x.js" and "../x.js" are relative to the folder of the importing file, "/x.js" to the root. A
//     handler's folder is its base path ([JSScript.WithVirtualBase], [ScriptFS]), or else the root; a
//     handler called "api/users" is in the folder "api" below that. Nothing leads out of the root.
//   - "x" and "x/y" are packages in node_modules, of the importing file's folder or of one above it.
//     What counts in their package.json is "exports" and "imports", with the conditions "import",
//     "module" and "default", and "main". The folders that the environment variable NODE_PATH names
//     are looked for last, in fsys.
//   - What is not there is looked for with .js and .mjs appended, then as a folder with a package.json
//     or an index.js or index.mjs. A query and a fragment ("?x#y") are cut off.
//
// Every file is an ES module, whatever its name: JSON and CommonJS fail. A module is evaluated once, for
// all its importers; in stack traces its name is its path in fsys. A handler is a module of its own,
// called by its base path and name, as in "/greet.js"; one with a base path without a slash in
// front, as "lib", hides the file of its name there.
//
// # Reading
//
// Files are read while the guest waits for them, in [JSSandbox.Load] and, for import() and require() in a
// handler, in [LoadedJSSandbox.HandleEvent]. Upstream remembers what is there, and what is not, as long
// as the micro-VM lives; contents are read again after [LoadedJSSandbox.Unload].
//
// A sandbox uses fsys on goroutines of this package, one at a time; sandboxes that share fsys use it
// concurrently. fsys must not use a sandbox that reads from it ([ErrReentrant]). When the call's context has ended, or
// the sandbox was closed, nothing more is read, but a file system that blocks blocks the call: nobody tells it.
//
// Only regular files are read. A module must be UTF-8 without NUL bytes, and fit into the input buffer. A
// package.json may have 4 MiB, and upstream's resolver reads it outside of the guest: give guests only trees
// whose manifests you trust. What becomes of symbolic links is up to fsys: [os.DirFS] follows them to
// anywhere, [os.Root.FS] only inside its folder. Use the latter where others can write.
//
// A guest that imports a name of more than about half the input buffer, which is not there, poisons its
// sandbox ([ErrVMFailure]): upstream's error repeats the name.
// Upstream remembers each folder above each path, so a guest that imports a path of more than 2048 elements,
// or so many different ones that they take some 64 MiB, is ended ([ErrGuestAborted]), and its sandbox is
// unrecoverable.
//
// The loader is one of the host functions that a snapshot requires of the sandbox that it is restored to.
//
// # Errors
//
// [ErrInvalidArgument] for nil; [ErrConsumed], [ErrClosed].
//
// The guest sees a module that cannot be had as an exception, "Error resolving module 'x' from 'y'" or "Error
// loading module 'x'", and no reason. If fsys failed, by more than not having a file, or the content was
// refused, the error of the guest's call also matches the reason: [fs.ErrPermission], say, or
// [ErrBufferTooSmall]. A later call that runs into the same does not know the reason where upstream
// remembers the outcome.
func (p *ProtoJSSandbox) SetModuleLoader(fsys fs.FS) error {
	const op = "SetModuleLoader"
	if fsys == nil {
		return invalidArgument(op, "fsys is nil")
	}
	p = orZero(p)
	defer runtime.KeepAlive(p)
	if err := p.h.enter(context.Background(), op); err != nil {
		return err
	}
	defer p.h.leave()
	err := capi.ProtoSandboxSetModuleLoader(p.h.native, moduleFiles{fsys, p.guest})
	if err != nil {
		p.h.consume() // Upstream takes the sandbox apart for it.
	}
	return nativeError(op, err)
}

// moduleFiles is a capi.FileTree.
type moduleFiles struct {
	fsys  fs.FS
	guest *guest
}

// Stat says what is at a path. What cannot be asked is nothing.
func (m moduleFiles) Stat(name string) (kind capi.FileKind) {
	m.attempt(func() error {
		info, err := fs.Stat(m.fsys, name)
		switch {
		case isMissing(err):
		case err != nil:
			return err
		case info.IsDir():
			kind = capi.FileKindFolder
		case info.Mode().IsRegular():
			kind = capi.FileKindFile
		}
		return nil
	})
	return kind
}

// Read answers with a file's content, or why there is none. Without an answer the import fails, too.
func (m moduleFiles) Read(file capi.File, name string, maxLen int) {
	m.attempt(func() error {
		data, err := readFile(m.fsys, name, maxLen)
		if isMissing(err) && path.Base(name) == "package.json" {
			return nil // It is read in every folder, on the chance that it is there.
		}
		if err != nil {
			_ = capi.FileFail(file, strings.ToValidUTF8(err.Error(), "\uFFFD")) // For upstream's log.
			return err
		}
		return nativeError("read "+name, capi.FileGive(file, data))
	})
}

// attempt uses the file system, unless the call that imports is over, and notes why it failed.
func (m moduleFiles) attempt(use func() error) {
	call := m.guest.call.Load()
	if call == nil {
		return // No guest runs, so none imports.
	}
	var err error
	panicked := m.guest.guarded(func() {
		if err = call.ended(); err == nil { // Contexts may be the user's own code, too.
			err = use()
		}
	})
	if panicked != nil {
		err = treePanic(panicked.Value)
	}
	if err != nil {
		call.currentFailures().module = err
	}
}

func treePanic(value any) error {
	switch value := value.(type) {
	case error:
		if value == ErrGoexit {
			return errors.New("the file system called runtime.Goexit")
		}
		return fmt.Errorf("the file system panicked: %w", value)
	default:
		return fmt.Errorf("the file system panicked: %v", value)
	}
}

// isMissing says whether a file is not there, which is no failure.
func isMissing(err error) bool {
	// A file has nothing below it, which operating systems have an error of its own for.
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// readFile is fs.ReadFile for files of which nothing is known, not even that they end.
func readFile(fsys fs.FS, name string, maxLen int) ([]byte, error) {
	tooLong := func(size string) error {
		message := fmt.Sprintf("it has %s bytes, and may have %d", size, maxLen)
		return &Error{Op: "read " + name, Code: CodeBufferTooSmall, Message: message}
	}
	// Opening something else, a pipe for one, could block.
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	if info.Size() > int64(maxLen) {
		return nil, tooLong(fmt.Sprint(info.Size()))
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, int64(maxLen)+1))
	if err == nil && len(data) > maxLen {
		err = tooLong(fmt.Sprintf("more than %d", maxLen))
	}
	return data, err
}

// explainModule adds to a guest's complaint about a module what it could not know.
func (f *eventFailures) explainModule(err error) error {
	failure := (*Error)(nil)
	if f.module == nil || !errors.As(err, &failure) || failure.Exception == nil {
		return err
	}
	message := failure.Exception.Message
	if strings.HasPrefix(message, "Error resolving module '") || strings.HasPrefix(message, "Error loading module '") {
		failure.Exception.cause = f.module
	}
	return err
}
