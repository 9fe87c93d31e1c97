// Bundle makes the playground's page, page/dist, from page/src. It needs npm once, for the packages that package-lock.json
// names, and no Node.js program: esbuild is a Go library.
//
//	go run . ..        # the argument is the folder that has src and dist; `go generate` in examples/playground does this
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bundle FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	if err := install(folder); err != nil {
		return err
	}
	dist := filepath.Join(folder, "dist")
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := bundle(filepath.Join(folder, "src"), dist); err != nil {
		return err
	}
	for _, name := range []string{"index.html", "icon.svg"} {
		content, err := os.ReadFile(filepath.Join(folder, "src", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, name), content, 0o644); err != nil {
			return err
		}
	}
	if err := licenses(folder, filepath.Join(dist, "licenses.txt")); err != nil {
		return err
	}
	return writeSums(folder)
}

// install gets the packages, exactly those of the lock file, and runs none of their scripts.
func install(folder string) error {
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir, npm.Stdout, npm.Stderr = folder, os.Stderr, os.Stderr
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm ci, which gets what package-lock.json names: %w", err)
	}
	return nil
}

func bundle(src, dist string) error {
	result := api.Build(api.BuildOptions{
		EntryPoints:       []string{filepath.Join(src, "app.js"), filepath.Join(src, "app.css")},
		Outdir:            dist,
		Bundle:            true,
		Write:             true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Format:            api.FormatESModule,
		Charset:           api.CharsetUTF8,
		Target:            api.ES2022,
		LogLevel:          api.LogLevelInfo,
	})
	if len(result.Errors) > 0 {
		return errors.New("esbuild failed")
	}
	return nil
}

// licenses collects those of the packages, which want to go where their code goes.
func licenses(folder, to string) error {
	files, err := filepath.Glob(filepath.Join(folder, "node_modules", "*", "*", "LICENSE"))
	if err != nil {
		return err
	}
	single, err := filepath.Glob(filepath.Join(folder, "node_modules", "*", "LICENSE"))
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, file := range append(files, single...) {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Join(folder, "node_modules"), filepath.Dir(file))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s\n%s\n\n%s\n\n", name, strings.Repeat("=", len(name)), strings.TrimSpace(string(content)))
	}
	return os.WriteFile(to, []byte(text.String()), 0o644)
}
