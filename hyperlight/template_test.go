package hyperlight_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func TestTemplateMakesSandboxesThatAreAlike(t *testing.T) {
	template := withFunctions(small(`
		import * as host from "host";
		let count = 0;
		function handler() { return host.twice(++count); }`, hyperlight.WithHeapSize(5<<20)),
		functions{"twice": func(x int) int { return 2 * x }})
	for range 2 {
		loaded, err := template.Load(t.Context())
		require.NoError(t, err)
		closeWith(t, loaded)
		assert.Equal(t, 5<<20, loaded.Config().HeapSize)
		assert.Equal(t, "2", call(t, loaded, "null"))
		assert.Equal(t, "4", call(t, loaded, "null"))
	}
}

func TestTemplateErrors(t *testing.T) {
	mine := errors.New("mine")
	var proto *hyperlight.ProtoJSSandbox
	var sandbox *hyperlight.JSSandbox
	for name, test := range map[string]struct {
		template hyperlight.Template
		expected error
	}{
		"options":  {hyperlight.Template{Options: []hyperlight.Option{nil}}, hyperlight.ErrInvalidArgument},
		"register": {hyperlight.Template{Register: func(p *hyperlight.ProtoJSSandbox) error { proto = p; return mine }}, mine},
		"add":      {hyperlight.Template{Add: func(s *hyperlight.JSSandbox) error { sandbox = s; return mine }}, mine},
		"nothing":  {hyperlight.Template{}, hyperlight.ErrNoHandlers},
		"script":   {small("no JavaScript"), hyperlight.ErrJSException},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.template.Load(t.Context())
			require.ErrorIs(t, err, test.expected)
		})
	}
	assert.Equal(t, hyperlight.StatusClosed, proto.Status())
	assert.Equal(t, hyperlight.StatusClosed, sandbox.Status())

	//lint:ignore SA1012 a nil context is the point
	_, err := small(counter).Load(nil)
	require.ErrorIs(t, err, hyperlight.ErrInvalidArgument)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = small(counter).Load(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
