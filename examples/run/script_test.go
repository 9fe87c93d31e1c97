package main

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

const hello = "function handler(event) {\n  return { message: `Hello, ${event.name}!` };\n}\n"

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name   string
		script string
		event  string // of event.json
		stdin  string
		args   []string // after h.js
		want   outcome
	}{
		{
			name: "hello", script: hello, args: []string{`{"name":"World"}`},
			want: outcome{stdout: `{"message":"Hello, World!"}` + "\n"},
		},
		{
			name: "event left out", script: "function handler(event) { return event }",
			want: outcome{stdout: "{}\n"},
		},
		{
			name: "event from a file", script: hello, event: "{\"name\": \"file\"}\n", args: []string{"@event.json"},
			want: outcome{stdout: `{"message":"Hello, file!"}` + "\n"},
		},
		{
			name: "event from standard input", script: hello, stdin: "{\"name\":\"stdin\"}\n", args: []string{"-"},
			want: outcome{stdout: `{"message":"Hello, stdin!"}` + "\n"},
		},
		{
			name: "result in all alphabets", script: `function handler(event) { return event + "ü\u2028\n<\u{1F600}" }`, args: []string{`"é\u0000"`},
			want: outcome{stdout: "\"é\\u0000ü\u2028\\n<😀\"\n"},
		},
		{
			name: "async", script: "export const handler = async (n) => 2 * (await n)", args: []string{"--", "-21"},
			want: outcome{stdout: "-42\n"},
		},
		{
			name: "console.log and print", script: `function handler() { console.log("log", 1); print("print\n"); return 2 }`,
			want: outcome{stdout: "2\n", stderr: "log 1\nprint\n"},
		},
		{
			name: "state is kept between repeated calls", script: "let n = 0; function handler(step) { return n += step }", args: []string{"5", "--repeat=3"},
			want: outcome{stdout: "5\n10\n15\n"},
		},
		{
			name: "a repeated call that fails", script: "let n = 0; function handler() { if (++n === 3) throw Error('third'); return n }", args: []string{"--repeat=5"},
			want: outcome{exitFailure, "1\n2\n", "h.js: Uncaught third\n    at handler (./h.js:1:53)\n"},
		},
		{
			name: "cyclic garbage is collected", script: garbage, args: []string{"--repeat=2"},
			want: outcome{stdout: "\"none\"\n\"none\"\n"},
		},
		{
			name: "cyclic garbage is left", script: garbage, args: []string{"--repeat=2", "--gc=false"},
			want: outcome{stdout: "\"none\"\n\"garbage\"\n"},
		},
		{
			name: "handler's name in the stack", script: "function handler() { throw Error('x') }", args: []string{"--handler=other"},
			want: outcome{exitFailure, "", "h.js: Uncaught x\n    at handler (./other.js:1:27)\n"},
		},
		{
			name: "byte order mark", script: "\ufeffexport function handler() { return 1 }",
			want: outcome{stdout: "1\n"},
		},
		{
			name: "sizes of upstream", script: hello, args: []string{"--upstream-defaults", "--heap=8MiB"},
			want: outcome{stdout: `{"message":"Hello, undefined!"}` + "\n"},
		},

		{
			name: "event that is no JSON", script: hello, args: []string{"{name}"},
			want: outcome{exitFailure, "", "EVENT: not JSON: key must be a string at line 1 column 2\n"},
		},
		{
			name: "file that is no JSON", script: hello, event: "{\n1", args: []string{"@event.json"},
			want: outcome{exitFailure, "", "event.json: not JSON: key must be a string at line 2 column 1\n"},
		},
		{
			name: "standard input without JSON", script: hello, args: []string{"-"},
			want: outcome{exitFailure, "", "standard input: not JSON: EOF while parsing a value at line 1 column 0\n"},
		},
		{
			name: "event that is no UTF-8", script: hello, event: "\"\xff\"", args: []string{"@event.json"},
			want: outcome{exitFailure, "", "event.json: the event is not UTF-8: invalid byte at offset 1\n"},
		},
		{
			name: "no such event file", script: hello, args: []string{"@nothing.json"},
			want: outcome{exitFailure, "", "nothing.json: no such file or directory\n"},
		},
		{
			name: "event file is a folder", script: hello, args: []string{"@."},
			want: outcome{exitFailure, "", ".: is a directory\n"},
		},

		{
			name: "empty file", script: " \n",
			want: outcome{exitFailure, "", "h.js: the file is empty\n"},
		},
		{
			name: "script with a NUL byte", script: "\x00",
			want: outcome{exitFailure, "", "h.js: the script contains a NUL byte at offset 0\n"},
		},
		{
			name: "syntax error", script: "function handler(event) {\n  return event +* 1;\n}\n",
			want: outcome{exitFailure, "", "h.js: Uncaught unexpected token in expression: '*'\n    at ./h.js:2:9\n"},
		},
		{
			name: "exception at the top level", script: "\nthrow Error('early');\nfunction handler() {}",
			want: outcome{exitFailure, "", "h.js: Uncaught early\n    at <anonymous> (./h.js:2:7)\n"},
		},
		{
			name: "import of what is not there", script: "import x from 'left-pad';\nexport function handler() {}",
			want: outcome{exitFailure, "", "h.js: Uncaught Error resolving module 'left-pad' from './h.js'\n"},
		},
		{
			name: "no handler", script: "let x = 1;",
			want: outcome{exitFailure, "", "h.js: Uncaught exported variable 'handler' does not exist\n"},
		},
		{
			name: "no handler among the exports", script: "export function handle() {}",
			want: outcome{exitFailure, "", "h.js: the script exports no function named handler\n"},
		},
		{
			name: "handler that is no function", script: "export const handler = 1;",
			want: outcome{exitFailure, "", "h.js: the script exports no function named handler\n"},
		},
		{
			name: "handler returns nothing", script: "function handler() {}",
			want: outcome{exitFailure, "", "h.js: the handler returned nothing that JSON can hold\n"},
		},
		{
			name: "throws an Error", script: "function f() {\n  throw new TypeError('bad\\nluck');\n}\nfunction handler() {\n  f();\n}",
			want: outcome{exitFailure, "", "h.js: Uncaught bad\nluck\n    at f (./h.js:2:13)\n    at handler (./h.js:5:3)\n"},
		},
		{
			name: "throws an Error without message", script: "function handler() { throw Error() }",
			want: outcome{exitFailure, "", "h.js: Uncaught exception without a message\n    at handler (./h.js:1:27)\n"},
		},
		{
			name: "throws a string", script: "function handler() { throw 'just text' }",
			want: outcome{exitFailure, "", "h.js: Uncaught just text\n"},
		},
		{
			name: "throws an object", script: "function handler() { throw {} }",
			want: outcome{exitFailure, "", "h.js: Uncaught thrown object\n"},
		},
		{
			name: "prints, then rejects", script: "async function handler() {\n  await print('here\\n');\n  throw Error('late');\n}",
			want: outcome{exitFailure, "", "here\nh.js: Uncaught late\n    at handler (./h.js:3:9)\n"},
		},
		{
			name: "waits for ever", script: "function handler() { return new Promise(() => {}) }",
			want: outcome{exitFailure, "", "h.js: it waits for a promise that nothing will settle\n"},
		},
		{
			name: "allocates without end", script: "function handler() { for (const a = []; ; ) a.push('x'.repeat(9999) + a.length) }",
			want: outcome{exitFailure, "", "h.js: the guest ran out of memory; raise --heap and --scratch\n"},
		},
		{
			name: "result too large", script: "function handler() { return 'x'.repeat(20000) }", args: []string{"--output-buffer=16K"},
			want: outcome{exitFailure, "", "h.js: the result does not fit into the output buffer; raise --output-buffer\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inFolder(t, map[string]string{"h.js": test.script, "event.json": test.event})
			require.Equal(t, test.want, tryRun(test.stdin, append([]string{"h.js"}, test.args...)...))
		})
	}
}

// garbage tells whether the cycle of the call before is still in memory.
const garbage = `
let before;
function handler() {
  const found = before?.deref();
  const cycle = {};
  cycle.self = cycle;
  before = new WeakRef(cycle);
  return found ? "garbage" : "none";
}`

func TestScriptCannotBeRead(t *testing.T) {
	inFolder(t, nil)
	require.Equal(t, outcome{exitFailure, "", "nothing.js: no such file or directory\n"}, tryRun("", "nothing.js"))
	require.Equal(t, outcome{exitFailure, "", "./.: is a directory\n"}, tryRun("", "./."))
}

// The messages are the package's; what counts here is that they name what was given and what is needed.
func TestSizesOutOfRange(t *testing.T) {
	inFolder(t, map[string]string{"h.js": hello})
	for _, test := range []struct{ flag, given, needed string }{
		{"--heap=1MiB", "1048576", "4194304"},
		{"--heap=100GiB", "1073", "171"}, // more than the heap is counted
		{"--scratch=512K", "524288", "1048576"},
		{"--scratch=1MiB", "1048576", "21"}, // depends on upstream's page tables
		{"--input-buffer=1K", "1024", "8192"},
		{"--output-buffer=0", " 0 ", "8192"},
	} {
		t.Run(test.flag, func(t *testing.T) {
			got := tryRun("", "h.js", test.flag)
			require.Equal(t, exitUsage, got.exitCode)
			require.Empty(t, got.stdout)
			require.Regexp(t, `^run: .*`+test.given+`.* `+test.needed, got.stderr)
			require.True(t, strings.HasSuffix(got.stderr, "\n"+usageHint), got.stderr)
		})
	}
}

func TestInputBufferTooSmall(t *testing.T) {
	inFolder(t, map[string]string{
		"long.js": hello + strings.Repeat(" ", 20000), "h.js": hello, "event.json": `"` + strings.Repeat("x", 20000) + `"`,
	})
	for input, args := range map[string][]string{"long.js": {"long.js"}, "event.json": {"h.js", "@event.json"}} {
		got := tryRun("", append(args, "--input-buffer=16K")...)
		require.Equal(t, exitFailure, got.exitCode)
		require.Empty(t, got.stdout)
		require.Regexp(t, `(?s)^`+input+`: .*20\d\d\d.*163\d\d.*; raise --input-buffer\n$`, got.stderr)
	}
}

func TestBrokenStreams(t *testing.T) {
	inFolder(t, map[string]string{"h.js": hello})
	var stderr strings.Builder
	require.Equal(t, exitFailure, run([]string{"h.js", "-"}, iotest.ErrReader(errors.New("pulled out")), nil, &stderr))
	require.Equal(t, "standard input: pulled out\n", stderr.String())

	stderr.Reset()
	require.Equal(t, exitFailure, run([]string{"h.js"}, nil, fullDisk{}, &stderr))
	require.Equal(t, "run: write the result: disk full\n", stderr.String())
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }
