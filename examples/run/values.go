package main

import (
	"errors"
	"strconv"

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
