// Costs prints the tables of docs/memory.md and docs/limits.md: what steps, sizes and limits cost, in executed
// instructions, and what the process pays in memory, threads and files. See ../README.md.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

var parts = []struct {
	name  string
	print func()
}{
	{"process", process}, // First: it wants a process that has not done anything.
	{"steps", steps},
	{"sizes", sizes},
	{"room", room},
	{"sharing", sharing},
	{"limits", limits},
	{"events", events},
}

func main() {
	wanted := os.Args[1:]
	for _, part := range parts {
		if len(wanted) == 0 || slices.Contains(wanted, part.name) {
			fmt.Printf("\n%s:\n\n", part.name)
			part.print()
		}
	}
}

var ctx = context.Background()

// start boots a sandbox with one handler, called "handler".
func start(source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	return load(boot(opts...), source)
}

func boot(opts ...hyperlight.Option) *hyperlight.JSSandbox {
	proto, err := hyperlight.New(opts...)
	check(err)
	return bootProto(proto)
}

func bootProto(proto *hyperlight.ProtoJSSandbox) *hyperlight.JSSandbox {
	sandbox, err := proto.LoadRuntime(ctx)
	check(err)
	return sandbox
}

func load(sandbox *hyperlight.JSSandbox, source string) *hyperlight.LoadedJSSandbox {
	check(sandbox.AddHandler("handler", hyperlight.Script(source)))
	loaded, err := sandbox.Load(ctx)
	check(err)
	return loaded
}

func call(loaded *hyperlight.LoadedJSSandbox, event []byte, opts ...hyperlight.CallOption) {
	_, err := loaded.HandleEvent(ctx, "handler", event, opts...)
	check(err)
}

func snapshot(loaded *hyperlight.LoadedJSSandbox) *hyperlight.Snapshot {
	result, err := loaded.Snapshot(ctx)
	check(err)
	return result
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// header begins a table; columns that begin with a blank hold numbers.
func header(columns ...string) {
	rule := make([]string, len(columns))
	for i, column := range columns {
		rule[i] = "---"
		if strings.HasPrefix(column, " ") {
			rule[i] = "---:"
		}
		columns[i] = strings.TrimSpace(column)
	}
	row(columns...)
	row(rule...)
}

func row(cells ...string) { fmt.Printf("| %s |\n", strings.Join(cells, " | ")) }
