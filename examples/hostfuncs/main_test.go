package main

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func Example() {
	main()
	// Output:
	// ada: {"sensor":"door","readings":[20],"version":1,"all":[{"bytes":1,"key":"door"}]}
	// ada: {"sensor":"door","readings":[20,25],"version":2,"all":[{"bytes":2,"key":"door"}]}
	// grace: {"sensor":"door","readings":[7],"version":1,"all":[{"bytes":1,"key":"door"}]}
	// ada: {"sensor":"roof","readings":[1],"version":1,"all":[{"bytes":2,"key":"door"},{"bytes":1,"key":"roof"}]}
	// ada: not recorded, since the store is full
}

// What JavaScript does wrong is an exception in JavaScript, and an error in Go, and the sandbox goes on.
func TestErrors(t *testing.T) {
	loaded, err := hyperlight.Template{
		Register: newStore(1).register,
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("try", hyperlight.Script(`
				import * as kv from "kv";
				export function handler({ call, args, caught }) {
					try {
						return kv[call](...args);
					} catch (error) {
						if (!caught) throw error;
						return error.message;
					}
				}`))
		},
	}.Load(t.Context())
	require.NoError(t, err)
	defer loaded.Close()
	try := func(ctx context.Context, event string) (string, error) {
		return hyperlight.Call[string](ctx, loaded, "try", json.RawMessage(event))
	}
	ada := withUser(t.Context(), "ada")

	_, err = try(ada, `{"call":"get","args":["door"]}`)
	require.ErrorIs(t, err, errNoKey)
	require.ErrorIs(t, err, hyperlight.ErrJSException)
	message, err := try(ada, `{"call":"get","args":["door"],"caught":true}`)
	require.NoError(t, err)
	assert.Contains(t, message, "no such key")

	// Types are checked on the way: a string is no Uint8Array, and nothing is stored.
	message, err = try(ada, `{"call":"put","args":["door","open"],"caught":true}`)
	require.NoError(t, err)
	assert.Contains(t, message, "argument 2")
	message, err = try(ada, `{"call":"get","args":[],"caught":true}`)
	require.NoError(t, err)
	assert.Contains(t, message, "argument")

	// The user is the context's.
	_, err = try(t.Context(), `{"call":"list","args":[]}`)
	require.ErrorIs(t, err, errNoUser)
	assert.Equal(t, hyperlight.StatusReady, loaded.Status())
}
