//go:build linux && amd64

package capi

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var cCall = regexp.MustCompile(`\b(hljs_\w+)\(`)

// calledFunctions are the functions of the ABI that C sources call. Comments and texts do not count, nor do the
// names of other things: a call has its parenthesis right behind the name.
func calledFunctions(sources ...string) map[string]bool {
	text := regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"`)
	called := map[string]bool{}
	for _, source := range sources {
		source = text.ReplaceAllString(source, `""`)
		for _, match := range cCall.FindAllStringSubmatch(cComment.ReplaceAllString(source, ""), -1) {
			called[match[1]] = true
		}
	}
	return called
}

// A function that is new to the ABI must be added to conformance/.
func TestConformanceCallsEveryFunction(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("conformance", "*.c"))
	require.NoError(t, err)
	var sources []string
	for _, path := range paths {
		sources = append(sources, readFile(t, path))
	}
	called := calledFunctions(sources...)
	prototypes := parseHeader(readFile(t, headerFile)).prototypes
	require.NotEmpty(t, prototypes)
	for _, p := range prototypes {
		assert.True(t, called[p.name], "no file in conformance/ calls %s", p.name)
		delete(called, p.name)
	}
	assert.Empty(t, called, "not in the header")
}

func TestCalledFunctions(t *testing.T) {
	called := calledFunctions(`
		// hljs_commented(x);
		puts("hljs_text(\"x\")"); /* hljs_commented(y); */
		hljs_error *error = NULL; hljs_print_fn print = on_print;
		CHECK(hljs_one(NULL, "//") == 0); // hljs_two
		hljs_three(
		    "/*"); call(hljs_four);`)
	assert.Equal(t, map[string]bool{"hljs_one": true, "hljs_three": true}, called)
}
