package workload

import (
	"fmt"
	"strings"
	"time"
)

// The sizes that all contestants use.
const (
	HeapBytes    = 8 << 20
	ScratchBytes = 16 << 20
	BufferBytes  = 1 << 20
)

// Limit is that of monitors, so long that they never fire.
const Limit = 5 * time.Second

// Echo returns its event.
const (
	Echo  = `function handler(event) { return event; }`
	Event = `{"a":1}`
)

// The handler and the event of upstream's own benchmarks.
const (
	Redirect = `
        function handler(event) {
            event.request.uri = "/redirected.html";
            return event
        }`
	Request = `
            {
                "request": {
                    "uri": "/index.html"
                }
            }`
)

// Handlers that use their host event.n times: functions of module "host", and printing.
const (
	Add = `
import * as host from "host";
function handler(event) {
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum = host.add(sum, i);
    return sum;
}`
	EchoBytes = `
import * as host from "host";
function handler(event) {
    const data = new Uint8Array(event.bytes);
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum += host.echo(data).length;
    return sum;
}`
	Print = `
const line = "x".repeat(100);
function handler(event) {
    for (let i = 0; i < event.n; i++) console.log(line);
    return event.n;
}`
)

// Sizes are those of events.
var Sizes = []struct {
	Name                      string
	Bytes, WarmUp, Operations int
}{
	{"event_100b", 100, 50, 300},
	{"event_1kb", 1_000, 50, 300},
	{"event_10kb", 10_000, 10, 50},
	{"event_100kb", 100_000, 10, 80},
	{"event_1mb", 1_000_000, 1, 3},
}

// EventOf is JSON of so many bytes.
func EventOf(bytes int) []byte {
	const head, tail = `{"text":"`, `"}`
	return []byte(head + strings.Repeat("x", bytes-len(head)-len(tail)) + tail)
}

// Library is JavaScript of 40 kB: many small functions, the first of which answers.
func Library() string {
	var source strings.Builder
	for i := 0; source.Len() < 40_000; i++ {
		fmt.Fprintf(&source, "function f%d(x) { let y = x + %d; for (const c of \"f%d\") "+
			"y = (y * 31 + c.charCodeAt(0)) %% 65521; return y; }\n", i, i, i)
	}
	return source.String() + "function handler(event) { return f0(event.a); }\n"
}
