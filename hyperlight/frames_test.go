package hyperlight_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func frames(stack string) []hyperlight.Frame {
	return (&hyperlight.JSException{Stack: stack}).Frames()
}

func TestFrames(t *testing.T) {
	for line, frame := range map[string]hyperlight.Frame{
		"    at handler (./greet.js:3:11)":           {Function: "handler", File: "./greet.js", Line: 3, Column: 11},
		"    at <anonymous> (./h.js:1:2)":            {Function: "<anonymous>", File: "./h.js", Line: 1, Column: 2},
		"    at <eval> (<input>:1:10)":               {Function: "<eval>", File: "<input>", Line: 1, Column: 10},
		"    at map (native)":                        {Function: "map"},
		"    at trap (missing)":                      {Function: "trap"},
		"    at ./h.js:2:18":                         {File: "./h.js", Line: 2, Column: 18},
		"    at user:math:2:18":                      {File: "user:math", Line: 2, Column: 18},
		"    at f (user:math:1:20)":                  {Function: "f", File: "user:math", Line: 1, Column: 20},
		"    at f (<null>)":                          {Function: "f", File: "<null>"},
		"    at f (./no line.js)":                    {Function: "f", File: "./no line.js"},
		"    at f (./h.js:7)":                        {Function: "f", File: "./h.js:7"},
		"    at get size (./h.js:1:2)":               {Function: "get size", File: "./h.js", Line: 1, Column: 2},
		"    at [Symbol.iterator] (./h.js:1:2)":      {Function: "[Symbol.iterator]", File: "./h.js", Line: 1, Column: 2},
		"    at #p (./h.js:1:2)":                     {Function: "#p", File: "./h.js", Line: 1, Column: 2},
		"    at f(x) (./h.js:1:2)":                   {Function: "f(x)", File: "./h.js", Line: 1, Column: 2},
		"    at odd (name:1:2) x (./h.js:5:6)":       {Function: "odd (name:1:2) x", File: "./h.js", Line: 5, Column: 6},
		"    at f (./a (1).js:5:6)":                  {Function: "f", File: "./a (1).js", Line: 5, Column: 6},
		"    at f (./a(1).js:5:6)":                   {Function: "f", File: "./a(1).js", Line: 5, Column: 6},
		"    at :-( (./h.js:5:6)":                    {Function: ":-(", File: "./h.js", Line: 5, Column: 6},
		"    at :-) (./h.js:5:6)":                    {Function: ":-)", File: "./h.js", Line: 5, Column: 6},
		"    at f (./:-(.js:5:6)":                    {Function: "f", File: "./:-(.js", Line: 5, Column: 6},
		"    at f (./:-).js:5:6)":                    {Function: "f", File: "./:-).js", Line: 5, Column: 6},
		"    at ( ( (./h.js:5:6)":                    {Function: "( (", File: "./h.js", Line: 5, Column: 6},
		"    at größer 😊 (/data/größe/😊.js:5:6)":     {Function: "größer 😊", File: "/data/größe/😊.js", Line: 5, Column: 6},
		"    at f (C:/x.js:2147483647:1)":            {Function: "f", File: "C:/x.js", Line: 1<<31 - 1, Column: 1},
		"    at f (./h.js:99999999999999999999:1)":   {Function: "f", File: "./h.js:99999999999999999999:1"},
		"    at f (./h.js:-1:+1)":                    {Function: "f", File: "./h.js:-1:+1"},
		"    at f (./h.js:0:7)":                      {Function: "f", File: "./h.js"},
		"    at f ()":                                {Function: "f"},
		"    at f":                                   {Function: "at f"},
		"    at f(./h.js:1:2)":                       {Function: "at f(./h.js:1:2)"},
		"    at ":                                    {Function: "at"},
		"7":                                          {Function: "7"},
		"[object Object]":                            {Function: "[object Object]"},
		"TypeError: no header in QuickJS's own ones": {Function: "TypeError: no header in QuickJS's own ones"},
		"b (./h.js:1:2)":                             {Function: "b (./h.js:1:2)"},
	} {
		assert.Equal(t, []hyperlight.Frame{frame}, frames(line+"\n"), "%q", line)
		assert.Equal(t, []hyperlight.Frame{frame, frame}, frames(line+"\n"+line), "%q", line)
	}
	for _, stack := range []string{"", "\n", " \n\t\n\r\n"} {
		assert.Empty(t, frames(stack))
	}
}

func TestFramesAreBounded(t *testing.T) {
	assert.Len(t, frames(strings.Repeat("    at f (./h.js:1:2)\n", 64)), 64, "as many as QuickJS gives")
	assert.Len(t, frames(strings.Repeat("x\n", 1<<20)), 128)
}

// Were the time quadratic, these would take hours.
func TestHostileStacks(t *testing.T) {
	for _, piece := range []string{"(", ")", " (", ") ", ":", ":1", "1", "\n", " ", "at ", "    at ", "\x00", "\xff"} {
		long := strings.Repeat(piece, (1<<20)/len(piece))
		for _, stack := range []string{long, "    at " + long, "    at f (" + long + ")", "    at " + long + " (./h.js:1:2)"} {
			checkFrames(t, stack)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, stack := range []string{
		"    at inner (./h.js:2:41)\n    at map (native)\n    at handler (./h.js:2:11)\n",
		"    at ./h.js:2:18\n", "    at a\nb (./h.js:2:38)\n", "    at ( (./a (1).js:1:1)", "at )", "at :1:1)", "at ()", "at  ()",
	} {
		f.Add(stack)
	}
	f.Fuzz(func(t *testing.T, stack string) { checkFrames(t, stack) })
}

// checkFrames checks what holds for any stack: all that frames say is in it, in this order.
func checkFrames(t *testing.T, stack string) {
	t.Helper()
	rest := stack
	all := frames(stack)
	require.LessOrEqual(t, len(all), 128)
	for _, frame := range all {
		require.True(t, frame.Line >= 0 && frame.Line < 1<<31 && frame.Column >= 0 && frame.Column < 1<<31, "%+v", frame)
		require.True(t, frame.Line > 0 || frame.Column == 0, "%+v", frame)
		require.NotContains(t, frame.Function+frame.File, "\n")
		parts := []string{frame.Function, frame.File}
		if frame.Line > 0 {
			parts = append(parts, fmt.Sprint(frame.Line), fmt.Sprint(frame.Column))
		}
		for _, part := range parts {
			_, after, found := strings.Cut(rest, part)
			require.True(t, found, "%.100q is not in %.100q", part, stack)
			rest = after
		}
	}
}
