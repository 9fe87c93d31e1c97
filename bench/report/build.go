package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// paths are where this program finds and puts things.
type paths struct {
	Bench    string `help:"The folder bench/." default:"." type:"existingdir"`
	Programs string `help:"The folder of the built contestants." required:"" type:"path" env:"BENCH_PROGRAMS"`
}

type buildCommand struct {
	paths
	Size string   `help:"Which results are wanted: quick or full." enum:"quick,full" default:"full"`
	Only []string `help:"Only these contestants."`
}

// Run builds one contestant after the other.
func (b *buildCommand) Run() error {
	if err := os.MkdirAll(b.Programs, 0o755); err != nil {
		return err
	}
	for _, c := range chosen(b.Size, b.Only) {
		begin := time.Now()
		for _, words := range c.builds {
			words = expand(words, b.Programs)
			command := exec.Command(words[0], words[1:]...)
			command.Dir = b.Bench
			command.Env = append(os.Environ(), expand(c.env, b.Programs)...)
			command.Stdout, command.Stderr = os.Stderr, os.Stderr
			if err := command.Run(); err != nil {
				return fmt.Errorf("building %s: %s: %w", c.name, words[0], err)
			}
		}
		fmt.Fprintf(os.Stderr, "%s: built in %v\n", c.name, time.Since(begin).Round(time.Second))
	}
	return nil
}

// expand replaces variables in words.
func expand(words []string, programs string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = os.Expand(word, func(name string) string {
			switch name {
			case "BIN":
				return programs
			case "HYPERLIGHT_JS_LIBRARY_FOLDER":
				return filepath.Dir(os.Getenv("HYPERLIGHT_JS_LIBRARY"))
			default:
				return os.Getenv(name)
			}
		})
	}
	return all
}
