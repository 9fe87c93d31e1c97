//go:build linux && amd64

package soak_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// live takes a sandbox from New to Close, through whatever takes memory, files or threads of the host. dir is an empty
// or missing folder. The result is nil, or the error of the first step that fails.
func live(ctx context.Context, dir string) (err error) {
	open := []interface{ Close() error }{}
	defer func() {
		for _, opened := range open {
			err = errors.Join(err, opened.Close())
		}
	}()
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults())
	if err != nil {
		return err
	}
	open = append(open, proto)
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return err
	}
	open = append(open, sandbox)
	if err := sandbox.AddHandler("handler", hyperlight.Script(counter)); err != nil {
		return err
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		return err
	}
	open = append(open, loaded)
	if _, err := loaded.HandleEvent(ctx, "handler", []byte("{}"), hyperlight.WithMonitors(hyperlight.WallClock(time.Minute))); err != nil {
		return err
	}
	taken, err := loaded.Snapshot(ctx)
	if err != nil {
		return err
	}
	open = append(open, taken)
	if _, err := taken.Save(dir, "v1"); err != nil {
		return err
	}
	again, err := hyperlight.LoadSnapshot(dir, "v1")
	if err != nil {
		return err
	}
	open = append(open, again)
	if err := loaded.Restore(ctx, again); err != nil {
		return err
	}
	_, err = loaded.HandleEvent(ctx, "handler", []byte("{}"))
	return err
}

// hardTimes are lives under a limit that gets looser each time, until one succeeds. Each that fails does so for one of
// these reasons. The result is how many lives failed in which method.
func hardTimes(t *testing.T, loosen func(life int), reasons ...error) map[string]int {
	t.Helper()
	const most = 200
	dir, failed := t.TempDir(), map[string]int{}
	for i := range most {
		loosen(i)
		err := live(t.Context(), filepath.Join(dir, "snapshots"))
		if err == nil {
			return failed
		}
		var failure *hyperlight.Error
		require.ErrorAs(t, err, &failure)
		failed[failure.Op]++
		assert.NoError(t, isOneOf(err, reasons...), "life %d", i)
	}
	require.FailNow(t, "no life succeeds", "%v", failed)
	return nil
}
