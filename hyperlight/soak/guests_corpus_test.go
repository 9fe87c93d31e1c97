package soak_test

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/guests
var guestFiles embed.FS

// attack is one use of one hostile guest. Its file begins with comment lines `// key: value`:
//
//	attacks   what it attacks, in words
//	at        load, if that is what fails or is to be survived; otherwise a call
//	expect    how it ends: one of endings
//	result    the exact result, which is JSON; or, for a long one,
//	bytes     how long it is
//	message   the exact message of the exception; in quotes if it has odd characters
//	error     a part of the error's text
//	thrown    what kind of value was thrown, if it was no Error
//	calls     how often host functions were called
//	prints    what was printed, in quotes
//	printed   how many bytes were delivered, if that is too much to quote
//	stains    how the next call ends, if the sandbox is not as before until it is restored
//	before    the event of a call that comes first, and succeeds
//	soak      the event in the full size
//	event     the event, which is JSON; null if not given
//
// Each event is an attack of its own; what follows it is only for this event, and what stands above the first one
// is for all.
type attack struct {
	name   string // of the handler: the file without .js
	title  string // of the test: with the number of the event
	source string
	given  map[string]string
	event  string
}

// knownKeys are those above.
var knownKeys = strings.Fields("attacks at expect result bytes message error thrown calls prints printed stains before soak event")

func (a attack) get(key string) string { return a.given[key] }

func (a attack) has(key string) bool { _, ok := a.given[key]; return ok }

func (a attack) atLoad() bool { return a.get("at") == "load" }

// readAttacks reads the attacks of one file.
func readAttacks(name, source string) ([]attack, error) {
	shared := attack{name: name, title: name, source: source, given: map[string]string{}, event: "null"}
	var events []attack
	current := &shared
	for line := range strings.Lines(source) {
		directive, ok := strings.CutPrefix(strings.TrimSpace(line), "// ")
		if !ok {
			break // Here the code begins.
		}
		key, value, ok := strings.Cut(directive, ": ")
		switch {
		case !ok || !slices.Contains(knownKeys, key):
			return nil, fmt.Errorf("%s: unknown directive %q", name, directive)
		case key == "event":
			if !json.Valid([]byte(value)) {
				return nil, fmt.Errorf("%s: event %s is not JSON", name, value)
			}
			next := shared
			next.event = value
			next.title = fmt.Sprintf("%s/%d", name, len(events)+1)
			next.given = map[string]string{}
			for key, value := range shared.given {
				next.given[key] = value
			}
			events = append(events, next)
			current = &events[len(events)-1]
		case current == &shared && shared.has(key):
			return nil, fmt.Errorf("%s: %s is given twice", name, key)
		default:
			current.given[key] = value
		}
	}
	if len(events) == 0 {
		events = []attack{shared}
	}
	for _, a := range events {
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", a.title, err)
		}
	}
	return events, nil
}

// check refuses an attack that expects too little.
func (a attack) check() error {
	if a.get("attacks") == "" {
		return fmt.Errorf("it does not say what it attacks")
	}
	switch expected := a.get("expect"); {
	case !isEnding(expected):
		return fmt.Errorf("expect: %q is no way to end", expected)
	case expected == "result" && !a.has("result") && !a.has("bytes"):
		return fmt.Errorf("it expects a result, but not which")
	case (expected == "exception" || expected == "host function panicked") && !a.has("message") && !a.has("error"):
		return fmt.Errorf("it expects an exception, but not which")
	}
	if a.has("stains") && !isEnding(a.get("stains")) {
		return fmt.Errorf("stains: %q is no way to end", a.get("stains"))
	}
	for _, key := range []string{"calls", "bytes", "printed"} {
		if _, err := strconv.Atoi(a.get(key)); a.has(key) && err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// text is a value that may be in quotes.
func text(t *testing.T, value string) string {
	t.Helper()
	if !strings.HasPrefix(value, `"`) {
		return value
	}
	var unquoted string
	require.NoError(t, json.Unmarshal([]byte(value), &unquoted), value)
	return unquoted
}

// corpus reads all guests.
func corpus(t *testing.T) []attack {
	t.Helper()
	const folder = "testdata/guests"
	files, err := guestFiles.ReadDir(folder)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 60, "hostile guests")
	var all []attack
	seen := map[string]bool{}
	for _, file := range files {
		name, isScript := strings.CutSuffix(file.Name(), ".js")
		require.True(t, isScript, file.Name())
		source, err := guestFiles.ReadFile(path.Join(folder, file.Name()))
		require.NoError(t, err)
		attacks, err := readAttacks(name, string(source))
		require.NoError(t, err)
		for _, a := range attacks {
			require.False(t, seen[strings.ToLower(a.title)], "%s is there twice", a.title)
			seen[strings.ToLower(a.title)] = true
		}
		all = append(all, attacks...)
	}
	return all
}

// A guest that expects nothing would pass, whatever it does.
func TestHostileGuestsMustExpectSomething(t *testing.T) {
	for source, problem := range map[string]string{
		"function handler() {}":                                                   "it does not say what it attacks",
		"// attacks: x\nfunction handler() {}":                                    `expect: "" is no way to end`,
		"// attacks: x\n// expect: survival":                                      `expect: "survival" is no way to end`,
		"// attacks: x\n// expect: result":                                        "it expects a result, but not which",
		"// attacks: x\n// expect: cancelled\n// stains: yes":                     `stains: "yes" is no way to end`,
		"// attacks: x\n// expect: exception":                                     "it expects an exception, but not which",
		"// attacks: x\n// expect: cancelled\n// expect: result":                  "expect is given twice",
		"// attacks: x\n// expect: cancelled\n// calls: many":                     "invalid syntax",
		"// attacks: x\n// expect: cancelled\n// event: {":                        "event { is not JSON",
		"// attacks: x\n// expects: cancelled":                                    "unknown directive",
		"// attacks: x\n// some words":                                            "unknown directive",
		"// attacks: x\n// event: 1\n// expect: cancelled\n// event: 2\nlet a;\n": `expect: "" is no way to end`,
	} {
		_, err := readAttacks("guest", source)
		assert.ErrorContains(t, err, problem, source)
	}
	attacks, err := readAttacks("guest", "// attacks: x\n// expect: cancelled\n// event: 1\n// event: 2\n// expect: no value\nfunction handler() {}\n// event: 3\n")
	require.NoError(t, err)
	require.Len(t, attacks, 2)
	assert.Equal(t, []string{"guest/1", "1", "cancelled"}, []string{attacks[0].title, attacks[0].event, attacks[0].get("expect")})
	assert.Equal(t, []string{"guest/2", "2", "no value"}, []string{attacks[1].title, attacks[1].event, attacks[1].get("expect")})
}
