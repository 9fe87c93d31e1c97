package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// size is a flag's value in bytes, written like 16MiB.
type size int

func (s *size) String() string { return units.BytesSize(float64(*s)) }

func (s *size) Type() string { return "size" }

func (s *size) Set(text string) error {
	bytes, err := units.RAMInBytes(text)
	// What does not fit into an int64 comes out negative.
	if err != nil || bytes < 0 {
		return errors.New("not a size; write one like 16MiB")
	}
	*s = size(bytes)
	return nil
}

// count is a flag's value that is 1 or more.
type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }

func (c *count) Type() string { return "count" }

func (c *count) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("not a whole number from 1 on")
	}
	*c = count(n)
	return nil
}

// limit is a flag's value that is a time above zero; 0 is one that was not given.
type limit time.Duration

func (l *limit) String() string {
	if *l == 0 {
		return "" // no default to show
	}
	return time.Duration(*l).String()
}

func (l *limit) Type() string { return "time" }

func (l *limit) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("not a time above zero; write one like 500ms or 2s")
	}
	*l = limit(d)
	return nil
}

// moduleFile is a file that becomes the module user:name.
type moduleFile struct{ name, file string }

// moduleFiles is the value of a flag that may be given more than once.
type moduleFiles []moduleFile

func (m *moduleFiles) String() string { return "" }

func (m *moduleFiles) Type() string { return "module" }

func (m *moduleFiles) Set(text string) error {
	name, file, named := strings.Cut(text, "=")
	if !named {
		file = name
		base := filepath.Base(file)
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if name == "" || file == "" {
		return errors.New("not a file or NAME=FILE")
	}
	for _, other := range *m {
		if other.name == name {
			return fmt.Errorf("there is a module %s already, %s; name one by NAME=FILE", name, other.file)
		}
	}
	*m = append(*m, moduleFile{name, file})
	return nil
}
