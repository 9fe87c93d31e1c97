package main

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// errTreeTooBig ends the search of a working directory that is not packed.
var errTreeTooBig = errors.New("too big")

// treeEntry is a file, symbolic link or directory of the working directory.
type treeEntry struct {
	path string
	fs.DirEntry
}

// tree adds the working directory, without what is known to be of no use. One
// that is too big, such as a home directory, stays outside.
func (p *packer) tree(dir string) error {
	if err := p.fs.dir(dir); err != nil {
		return err
	}
	entries, err := listTree(dir)
	if errors.Is(err, errTreeTooBig) {
		say("the working directory %s is too big for the machine (more than %d MiB or %d files), where it is empty: "+
			"name what is needed with --file, or run from a smaller one", dir, maxTreeSize>>20, maxTreeFiles)
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		err := p.entry(e.path, e.path, e)
		var missing *missingLibraryError
		// A file that may only happen to lie there, or just went away.
		if err != nil && !errors.As(err, &missing) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// listTree returns what of the directory goes into the machine.
func listTree(dir string) ([]treeEntry, error) {
	var entries []treeEntry
	var size int64
	if dir == "/" {
		return nil, errTreeTooBig
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return nil // went away, or is not ours to read
		case err != nil:
			return err
		case path == dir:
			return nil
		case d.IsDir() && skipDir(path, d.Name()):
			return filepath.SkipDir
		case d.Type().IsRegular():
			info, err := d.Info()
			if err != nil || info.Size() > maxTreeFile {
				return nil
			}
			size += info.Size()
		}
		entries = append(entries, treeEntry{path, d})
		if size > maxTreeSize || len(entries) > maxTreeFiles {
			return errTreeTooBig
		}
		return nil
	})
	return entries, err
}

// skipDir reports whether a directory below the working directory stays
// outside: another module's tests do not run here, and a cache, such as cargo's
// target directory, says that it is one.
func skipDir(path, name string) bool {
	return name == ".git" || exists(filepath.Join(path, "go.mod")) || exists(filepath.Join(path, "CACHEDIR.TAG"))
}
