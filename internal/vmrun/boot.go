package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// bootGuest boots a guest on this host's hypervisor and runs JavaScript in it,
// which is what decides: a hypervisor may be there and be able to do neither.
func bootGuest() (err error) {
	ctx := context.Background()
	proto, err := hyperlight.New()
	if err != nil {
		return &notTriedError{err.Error()}
	}
	defer func() { err = errors.Join(err, proto.Close()) }()
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sandbox.Close()) }()
	if err := sandbox.AddHandler("probe", hyperlight.Script("function handler(event) { return {ok: true} }")); err != nil {
		return err
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loaded.Close()) }()
	out, err := loaded.HandleEvent(ctx, "probe", []byte("{}"))
	if err != nil {
		return err
	}
	if want := []byte(`{"ok":true}`); !bytes.Equal(out, want) {
		return fmt.Errorf("the guest answered %q instead of %q", out, want)
	}
	return nil
}
