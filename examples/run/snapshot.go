package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// start gives a sandbox with the script loaded: from a snapshot, if there is a folder for them that has it.
func (c *command) start(ctx context.Context, in *inputs) (*hyperlight.LoadedJSSandbox, error) {
	if c.snapshots == "" {
		return c.load(ctx, in)
	}
	tag, err := c.tag(in)
	if err != nil {
		return nil, err
	}
	snapshot, err := hyperlight.LoadSnapshot(c.snapshots, tag)
	if errors.Is(err, hyperlight.ErrSnapshotNotFound) {
		return c.loadAndSave(ctx, in, tag)
	}
	if err != nil {
		return nil, &inputError{source: c.snapshots, cause: err}
	}
	// The sandbox that was restored keeps what it needs.
	defer func() { _ = snapshot.Close() }()
	// Any handler will do, since it is replaced.
	loaded, err := c.load(ctx, &inputs{script: hyperlight.Script("function handler() {}"), files: in.files, print: in.print})
	if err != nil {
		return nil, err
	}
	if err := loaded.Restore(ctx, snapshot); err != nil {
		_ = loaded.Close()
		return nil, &inputError{source: c.snapshots, cause: err}
	}
	return loaded, nil
}

func (c *command) loadAndSave(ctx context.Context, in *inputs, tag string) (*hyperlight.LoadedJSSandbox, error) {
	loaded, err := c.load(ctx, in)
	if err != nil {
		return nil, err
	}
	snapshot, err := loaded.Snapshot(ctx)
	if err != nil {
		_ = loaded.Close()
		return nil, err
	}
	defer func() { _ = snapshot.Close() }()
	if _, err := snapshot.Save(c.snapshots, tag); err != nil {
		_ = loaded.Close()
		return nil, &inputError{source: c.snapshots, cause: err}
	}
	return loaded, nil
}

// tag names the snapshot by what is in it, so that a change of that makes another one. The files that a script imports
// from --fs are not known before it is loaded.
func (c *command) tag(in *inputs) (string, error) {
	library, err := hyperlight.Library()
	if err != nil {
		return "", err
	}
	modules := make(map[string]string)
	for _, module := range in.modules {
		modules[module.name] = module.script
	}
	content, err := json.Marshal([]any{
		library.Version, library.Runtime, c.handler, in.script.Content(), in.script.BasePath(), modules, c.sizes, c.fs,
	})
	if err != nil {
		return "", fmt.Errorf("name the snapshot: %w", err)
	}
	return fmt.Sprintf("run-%x", sha256.Sum256(content)), nil
}
