package hyperlight

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// collected is an output whose deliveries can be looked at.
type collected struct {
	output
	pieces []string
}

func collect(limit int) *collected {
	c := &collected{}
	c.output.printing = printing{limit: limit, write: func(text string) { c.pieces = append(c.pieces, text) }}
	return c
}

func TestOutputIsDeliveredByLines(t *testing.T) {
	for name, test := range map[string]struct{ taken, pieces []string }{
		"nothing":                   {nil, nil},
		"a line":                    {[]string{"a\n"}, []string{"a\n"}},
		"a rest":                    {[]string{"a"}, []string{"a"}},
		"two lines at once":         {[]string{"a\nb\n"}, []string{"a\nb\n"}},
		"a line and a rest":         {[]string{"a\nb"}, []string{"a\n", "b"}},
		"a line in pieces":          {[]string{"a", "b", "c\n"}, []string{"abc\n"}},
		"a rest in pieces":          {[]string{"a", "b"}, []string{"ab"}},
		"pieces across two lines":   {[]string{"a", "b\nc", "d\n"}, []string{"ab\n", "cd\n"}},
		"an empty line":             {[]string{"\n"}, []string{"\n"}},
		"an empty piece":            {[]string{"", "a\n", ""}, []string{"a\n"}},
		"a character in two pieces": {[]string{"\xe2\x98", "\x83\n"}, []string{"☃\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := collect(DefaultPrintLimit)
			for _, text := range test.taken {
				c.take(text)
			}
			c.flush()
			assert.Equal(t, test.pieces, c.pieces)
			assert.Zero(t, c.dropped)
		})
	}
}

// A guest that never ends its line cannot make the host hold it for ever.
func TestOutputWithoutNewlineIsDelivered(t *testing.T) {
	c := collect(10 * longestLine)
	for range longestLine + 1 {
		c.take("x")
	}
	assert.Len(t, c.pieces, 1)
	assert.Zero(t, c.pending.Len())
}

// A writer that panics loses what it was given, once, and nothing else.
func TestOutputOfAWriterThatPanics(t *testing.T) {
	long := strings.Repeat("x", longestLine)
	for name, test := range map[string]struct{ taken, pieces []string }{
		"a line and a rest": {[]string{"a\nb", "c\n"}, []string{"a\n", "bc\n"}},
		"a long line":       {[]string{long, "y", "z\n"}, []string{long + "y", "z\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := collect(DefaultPrintLimit)
			keep := c.write
			c.write = func(text string) {
				keep(text)
				panic("the writer")
			}
			for _, text := range test.taken {
				capi.Guarded(func() { c.take(text) }, nil)
			}
			capi.Guarded(c.flush, nil)
			assert.Equal(t, test.pieces, c.pieces)
		})
	}
}

func TestOutputLimit(t *testing.T) {
	for name, test := range map[string]struct {
		limit   int
		taken   []string
		want    string
		dropped int
	}{
		"just fits":              {4, []string{"ab", "c\n"}, "abc\n", 0},
		"one too many":           {3, []string{"ab", "c\n"}, "abc", 1},
		"a character is not cut": {3, []string{"a☃b\n"}, "a", 5},
		"a character fits":       {4, []string{"a☃b\n"}, "a☃", 2},
		"nothing after the cut":  {2, []string{"a☃", "b"}, "a", 4},
		"everything":             {0, []string{"ab\n", "c"}, "", 4},
		"exactly, then more":     {2, []string{"ab", "c"}, "ab", 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := collect(test.limit)
			for _, text := range test.taken {
				c.take(text)
			}
			c.flush()
			got := strings.Join(c.pieces, "")
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.dropped, c.dropped)
			assert.True(t, utf8.ValidString(got))
		})
	}
}

// What goes nowhere is not held, and not reported as dropped.
func TestOutputToNowhere(t *testing.T) {
	o := output{printing: printing{limit: 1}}
	o.take("abc")
	o.flush()
	assert.Zero(t, o.pending.Len())
	assert.Zero(t, o.dropped)
}
