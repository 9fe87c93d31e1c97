package hyperlight

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
				capi.Guarded(func() { c.take(text) })
			}
			capi.Guarded(c.flush)
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

// However a guest's output comes in pieces, what is delivered is the same, and never more than the limit.
func FuzzOutput(f *testing.F) {
	for _, text := range []string{"", "a\n", "a\nb", "\n\n", "☃☃☃\n", "a\x80\xffb\n", strings.Repeat("x", 600) + "\ny", "\xe2\x98\x83"} {
		for _, limit := range []uint32{0, 1, 4, 600, longestLine + 1} {
			f.Add(text, []byte{1, 2, 0, 3}, limit, uint16(1))
			f.Add(text, []byte{}, limit, uint16(40))
		}
	}
	f.Fuzz(func(t *testing.T, text string, cuts []byte, limit uint32, times uint16) {
		text = strings.Repeat(text, 1+int(times)%512)
		if len(text) > 4*longestLine {
			text = text[:4*longestLine]
		}
		// Any bytes: the bounds hold.
		checkOutput(t, text, pieces(text, cuts, func(string, int) bool { return true }), int(limit%(8*longestLine)))
		// Text, which upstream cuts between characters: it is the same as when it comes at once.
		text = strings.ToValidUTF8(text, "\uFFFD")
		between := func(text string, at int) bool { return utf8.RuneStart(text[at]) }
		got := checkOutput(t, text, pieces(text, cuts, between), int(limit%(8*longestLine)))
		want := checkOutput(t, text, []string{text}, int(limit%(8*longestLine)))
		require.Equal(t, want, got)
		require.True(t, utf8.ValidString(got))
	})
}

// pieces cuts a text, by turns after so many bytes, and each time at the next place where it may be cut.
func pieces(text string, lengths []byte, mayCut func(text string, at int) bool) (all []string) {
	for i := 0; len(text) > 0 && len(lengths) > 0; i++ {
		at := int(lengths[i%len(lengths)]) * 2
		for at < len(text) && !mayCut(text, at) {
			at++
		}
		at = min(at, len(text))
		all, text = append(all, text[:at]), text[at:]
		if i >= 1000 {
			break
		}
	}
	return append(all, text)
}

// checkOutput delivers pieces of a text, and checks what holds for any. It returns what was delivered.
func checkOutput(t *testing.T, text string, pieces []string, limit int) string {
	t.Helper()
	c := collect(limit)
	for _, piece := range pieces {
		c.take(piece)
		require.LessOrEqual(t, c.pending.Len(), longestLine+len(piece))
	}
	c.flush()
	delivered := strings.Join(c.pieces, "")
	require.LessOrEqual(t, len(delivered), limit)
	require.True(t, strings.HasPrefix(text, delivered), "%q of %q", delivered, text)
	require.Equal(t, len(delivered), c.taken)
	require.Equal(t, len(text), c.taken+c.dropped)
	for i, piece := range c.pieces {
		whole := i == len(c.pieces)-1 || strings.HasSuffix(piece, "\n") || len(piece) > longestLine
		require.True(t, whole, "a piece of a line: %.100q", piece)
	}
	return delivered
}
