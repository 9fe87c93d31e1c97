package parity_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// TestPrinting is upstream's tests/printing.rs. As there, two sandboxes print to the same place.
func TestPrinting(t *testing.T) {
	prints := func(t *testing.T, out *bytes.Buffer, statement string) string {
		t.Helper()
		loaded := loadHandler(t, `
			function handler(event) {
				`+statement+`
				return event
			}`, hyperlight.WithPrint(out))
		assert.Equal(t, `{}`, handle(t, loaded, "handler", `{}`))
		printed := out.String()
		out.Reset()
		return printed
	}

	t.Run("console_log_writes_to_host_print_function", func(t *testing.T) {
		var out bytes.Buffer
		assert.Equal(t, "Hello, World!!\n", prints(t, &out, `console.log("Hello, World!!");`))
		assert.Equal(t, "\n", prints(t, &out, `console.log("");`))
	})

	t.Run("print_writes_to_host_print_function", func(t *testing.T) {
		var out bytes.Buffer
		assert.Equal(t, "Hello, World!!", prints(t, &out, `print("Hello, World!!");`))
		assert.Empty(t, prints(t, &out, `print("");`))
	})
}
