package hyperlight

import (
	"strconv"
	"strings"
)

// Frame is one frame of a JavaScript stack: a function, and where in it the program was. Lines are those of
// the source that was added or imported: what upstream adds to a handler comes after its last line, which is where
// a syntax error is if the source ends too early. Upstream has none.
type Frame struct {
	// Function is the function's name, "<anonymous>" or "<eval>". It is empty for the position of a
	// syntax error, and all of a line that is in another form.
	Function string
	// File is the handler ("./greet.js", or below the base path of its script), the module ("user:math"),
	// the path in the module loader's file system, or "<input>" for what eval and JSON.parse are given. It is
	// empty for the engine's own functions.
	File string
	// Line counts from 1, and is 0 where the engine tells none.
	Line int
	// Column counts from 1, and is 0 without a Line. It is near what failed, as QuickJS has it: where the name
	// begins that it saw last in a throw or a call, and in the first line of a file one less. Of a syntax error
	// only the line is right.
	Column int
}

// mostFrames is twice what QuickJS gives; a stack that a script made up may have any number of lines.
const mostFrames = 128

// Frames takes the stack apart, innermost frame first, 128 at most. A syntax error begins with its own position,
// and goes on with what loaded or evaluated the source. QuickJS gives 10 frames unless the script sets
// Error.stackTraceLimit, and 64 at most.
//
// It fits how QuickJS writes stacks. A script may set Error.prepareStackTrace, change the stack of an Error, and
// call a function what it likes, parentheses and newlines included: treat frames as data. Upstream has the
// text alone.
func (e *JSException) Frames() []Frame {
	var frames []Frame
	for line := range strings.SplitSeq(orZero(e).Stack, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if len(frames) == mostFrames {
			break
		}
		frame, ok := parseFrame(line)
		if !ok {
			frame = Frame{Function: line}
		}
		frames = append(frames, frame)
	}
	return frames
}

// parseFrame takes "at name (file:line:column)", "at name (native)" and "at file:line:column" apart.
func parseFrame(text string) (frame Frame, ok bool) {
	text, ok = strings.CutPrefix(text, "at ")
	if !ok {
		return Frame{}, false
	}
	if !strings.HasSuffix(text, ")") {
		return parsePlace(text)
	}
	open := placeStart(text)
	if open < 0 {
		return Frame{}, false
	}
	function, place := text[:open], text[open+len(" ("):len(text)-len(")")]
	switch place {
	case "native", "missing":
		return Frame{Function: function}, true
	}
	if frame, ok = parsePlace(place); !ok {
		frame.File = place
	}
	frame.Function = function
	return frame, true
}

// placeStart finds the " (" that begins the place at the end of text. The names of functions and files may have
// parentheses of their own, so it is the one that fits the last ")", or else the last.
func placeStart(text string) int {
	depth := 0
	for i := len(text) - 1; i > 0; i-- {
		switch text[i] {
		case ')':
			depth++
		case '(':
			depth--
		}
		if depth == 0 {
			if text[i-1] == ' ' {
				return i - 1
			}
			break
		}
	}
	return strings.LastIndex(text, " (")
}

// parsePlace takes "file:line:column" apart; the file's name may have colons.
func parsePlace(text string) (frame Frame, ok bool) {
	text, column, hasColumn := cutNumber(text)
	file, line, hasLine := cutNumber(text)
	if !hasLine || !hasColumn {
		return Frame{}, false
	}
	if line == 0 {
		column = 0
	}
	return Frame{File: file, Line: line, Column: column}, true
}

// cutNumber cuts ":" and a number off the end of text.
func cutNumber(text string) (before string, number int, ok bool) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return text, 0, false
	}
	n, err := strconv.ParseUint(text[colon+1:], 10, 31)
	return text[:colon], int(n), err == nil
}
