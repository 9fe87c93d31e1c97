// Snapshots starts a program warm, from a snapshot that an earlier process saved. See README.md in this folder.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed handler.js
var source string

// tag names the snapshot of this very script: another script has another.
var tag = fmt.Sprintf("primes-%.6x", sha256.Sum256([]byte(source)))

func main() {
	var err error
	if len(os.Args) == 2 {
		err = start(context.Background(), os.Args[1])
	} else {
		err = startTwice()
	}
	if err != nil {
		log.Fatal(err)
	}
}

// startTwice runs this program two times with the same folder.
func startTwice() error {
	dir, err := os.MkdirTemp("", "snapshots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for range 2 {
		process := exec.Command(program, dir)
		process.Stdout, process.Stderr = os.Stdout, os.Stderr
		if err := process.Run(); err != nil {
			return err
		}
	}
	return nil
}

// start is what a service does when it starts: it gets ready, and answers.
func start(ctx context.Context, dir string) error {
	began := time.Now()
	loaded, how, err := warm(ctx, dir)
	if err != nil {
		return err
	}
	defer loaded.Close()
	fmt.Printf("process %d %s, and was ready after %v\n", os.Getpid(), how, time.Since(began).Round(time.Millisecond))

	answer, err := loaded.HandleEvent(ctx, "prime", []byte("250000"))
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", answer)
	return nil
}

// warm gives a sandbox in the state that the snapshot in the folder has. If there is none, or none that fits this host, it
// makes one.
func warm(ctx context.Context, dir string) (loaded *hyperlight.LoadedJSSandbox, how string, err error) {
	snapshot, err := hyperlight.LoadSnapshot(dir, tag)
	switch {
	case errors.Is(err, hyperlight.ErrSnapshotNotFound), errors.Is(err, hyperlight.ErrSnapshotIncompatible):
		loaded, err = prepare(ctx, dir)
		return loaded, "ran the script, saved " + tag, err
	case err != nil:
		return nil, "", err
	}
	defer snapshot.Close() // The sandbox keeps what it needs.

	// Any handler will do: with the snapshot come those that it was taken with.
	loaded, err = load(ctx, "export function handler() {}")
	if err != nil {
		return nil, "", err
	}
	if err := loaded.Restore(ctx, snapshot); err != nil {
		loaded.Close()
		return nil, "", err
	}
	return loaded, "restored " + tag, nil
}

// prepare runs the script, and saves what it left in the guest.
func prepare(ctx context.Context, dir string) (*hyperlight.LoadedJSSandbox, error) {
	loaded, err := load(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := save(ctx, loaded, dir); err != nil {
		loaded.Close()
		return nil, err
	}
	return loaded, nil
}

func save(ctx context.Context, loaded *hyperlight.LoadedJSSandbox, dir string) error {
	snapshot, err := loaded.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	_, err = snapshot.Save(dir, tag)
	return err
}

func load(ctx context.Context, script string) (*hyperlight.LoadedJSSandbox, error) {
	return hyperlight.Template{Add: func(sandbox *hyperlight.JSSandbox) error {
		return sandbox.AddHandler("prime", hyperlight.Script(script))
	}}.Load(ctx)
}
