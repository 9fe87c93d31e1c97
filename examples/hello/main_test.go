package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func Example() {
	main()
	// Output: {"message":"Hello, World!"}
}

// The README shows this program and its handler, to the letter. Inside the emulated machine it has to be
// named in HYPERLIGHT_VM_FILES, as ./build.sh test does.
func TestReadmeShowsThisProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(program), "\n") // without the comment on top
	assert.Contains(t, string(readme), "```go\n"+code+"```")
	handler, err := os.ReadFile("handler.js")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "```js\n"+string(handler)+"```")
}
