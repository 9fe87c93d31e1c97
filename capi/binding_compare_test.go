package capi

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// rooms are the files that bind the ABI, in the order of the header. A new C type is a new file, here
// as in rust-shim.
var rooms = []string{
	"version.go", "buffer.go", "error.go", "metrics.go", "logs.go", "builder.go", "host_call.go", "file_system.go",
	"proto_sandbox.go", "context.go", "sandbox.go", "monitor.go", "loaded_sandbox.go", "batch.go", "interrupt_handle.go",
	"snapshot.go",
}

// compare tells where the header and the Go sources of this package, by file name, disagree.
func compare(header string, sources map[string]string) []string {
	source, err := parseSource(sources)
	if err != nil {
		return []string{err.Error()}
	}
	c := comparison{header: parseHeader(header), source: source}
	c.compareVersion()
	c.compareEnum("hljs_code", "Code")
	c.compareEnum("hljs_status", "Status")
	c.compareEnum("hljs_file_kind", "FileKind")
	c.compareEnum("hljs_log_level", "LogLevel")
	c.compareSymbols()
	c.comparePrototypes()
	for _, b := range source.bindings {
		c.compareCall(b)
	}
	return c.problems
}

type comparison struct {
	header   cHeader
	source   *goSource
	problems []string
}

func (c *comparison) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *comparison) compareVersion() {
	// It is untyped, to be usable with any integer.
	found := c.source.constants("untyped int")["ABIVersion"]
	if found != c.header.abiVersion || found == "" {
		c.problem("HLJS_ABI_VERSION is %s in the header, ABIVersion is %s in Go",
			orNothing(c.header.abiVersion), orNothing(found))
	}
}

func (c *comparison) compareEnum(enum, goType string) {
	members, constants := c.header.enums[enum], c.source.constants(goType)
	if len(members) == 0 {
		c.problem("the header has no enum %s", enum)
	}
	// HLJS_CODE_NO_JS is CodeNoJS.
	fold := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
	names := map[string]string{}
	for name := range constants {
		names[fold("HLJS_"+name)] = name
	}
	for _, member := range slices.Sorted(maps.Keys(members)) {
		name, ok := names[fold(member)]
		delete(names, fold(member))
		if !ok {
			c.problem("%s is missing in Go", member)
		} else if constants[name] != members[member] {
			c.problem("%s is %s in the header, but %s in Go", member, orNothing(members[member]), constants[name])
		}
	}
	for _, name := range slices.Sorted(maps.Values(names)) {
		c.problem("the header lacks Go's %s", name)
	}
}

func (c *comparison) compareSymbols() {
	var fields []string
	if variable := c.source.scope.Lookup("symbols"); variable != nil {
		if table, ok := variable.Type().(*types.Struct); ok {
			for field := range table.Fields() {
				fields = append(fields, field.Name())
				if kind := typeString(field.Type()); kind != "uintptr" {
					c.problem("symbols.%s is a %s, not a uintptr", field.Name(), kind)
				}
			}
		}
	}
	c.compareNames("symbols", fields)
}

// comparePrototypes checks that every function of the header is bound once, under its own prototype.
func (c *comparison) comparePrototypes() {
	for _, stray := range c.source.strays {
		c.problem("a prototype belongs to no single function: %s", stray)
	}
	declared := map[string]prototype{}
	for _, p := range c.header.prototypes {
		declared[p.name] = p
	}
	var names []string
	for _, room := range rooms {
		for _, b := range c.source.bindings {
			if b.file == room {
				names = append(names, b.prototype.name)
			}
		}
	}
	for _, b := range c.source.bindings {
		if !slices.Contains(rooms, b.file) {
			c.problem("%s is bound in %s, which is not a file for that", b.prototype.name, b.file)
		}
		if p, ok := declared[b.prototype.name]; ok && p.text != b.prototype.text {
			c.problem("the comment of %s in Go differs from the header: %s", p.name, b.prototype.text)
		}
	}
	c.compareNames("Go's functions", names)
}

// compareNames checks that a list in Go has the names of the header, in its order.
func (c *comparison) compareNames(list string, names []string) {
	var declared []string
	for _, p := range c.header.prototypes {
		declared = append(declared, p.name)
	}
	for _, name := range declared {
		if !slices.Contains(names, name) {
			c.problem("%s lack %s", list, name)
		}
	}
	for i, name := range names {
		if !slices.Contains(declared, name) {
			c.problem("the header lacks %s, which is in %s", name, list)
		}
		if slices.Contains(names[:i], name) {
			c.problem("%s have %s twice", list, name)
		}
	}
	// What is in both must be in the same order.
	missing := func(from []string) func(string) bool {
		return func(name string) bool { return !slices.Contains(from, name) }
	}
	inHeader := slices.DeleteFunc(slices.Clone(declared), missing(names))
	inGo := slices.DeleteFunc(slices.Clone(names), missing(declared))
	for i := range min(len(inHeader), len(inGo)) {
		if inHeader[i] != inGo[i] {
			c.problem("%s have %s where the header has %s", list, inGo[i], inHeader[i])
			return
		}
	}
}

// compareCall checks that a Go function passes to C what the prototype above it says.
func (c *comparison) compareCall(b binding) {
	p := b.prototype
	words, unknown := p.expectedWords()
	for _, param := range unknown {
		c.problem("%s: this test does not know parameters like %s", p.name, param)
	}
	traced := trace(c.source, b.function)
	if len(traced.calls) != 1 {
		c.problem("%s: Go makes %d native calls", p.name, len(traced.calls))
		return
	}
	call := traced.calls[0]
	if call.symbol != "symbols."+p.name {
		c.problem("%s: Go calls %s", p.name, call.symbol)
	}
	if len(call.words) != len(words) {
		c.problem("%s: C takes %d arguments, Go passes %d: %s", p.name, len(words), len(call.words), strings.Join(call.words, ", "))
	}
	for i := range min(len(call.words), len(words)) {
		if !sameWord(words[i], call.words[i]) {
			c.problem("%s: argument %d must be %s, Go passes %s", p.name, i+1, words[i], call.words[i])
		}
	}
	if p.takesError() != (p.result == "hljs_code") && p.name != "hljs_error_code" {
		c.problem("%s: a function returns hljs_code if, and only if, its last parameter is the error", p.name)
	}
	if p.takesError() != traced.uses("fallible") {
		c.problem("%s: its last parameter is an error: %v; Go calls frame.fallible: %v", p.name, p.takesError(), traced.uses("fallible"))
	}
	if expected, found := p.expectedResults(), resultTypes(b.function); !slices.Equal(expected, found) {
		c.problem("%s: the Go function must return (%s), not (%s)", p.name, strings.Join(expected, ", "), strings.Join(found, ", "))
	}
	c.compareOutput(p, traced)
}

// outputMethods are the methods of frame that take outputs.
var outputMethods = map[string]string{
	"out text": "lent", "out bytes": "given", "out texts": "lentTexts", "out errors": "lentErrors", "out end": "lentErrors",
}

// compareOutput checks that what is lent is copied, and that given bytes are copied and freed.
func (c *comparison) compareOutput(p prototype, traced *tracer) {
	for i := range p.params {
		kind, _ := p.kind(i)
		if method := outputMethods[kind]; method != "" && !traced.uses(method) {
			c.problem("%s: Go does not take %s with frame.%s", p.name, p.params[i].name, method)
		}
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// sameWord compares what C takes with what Go passes. A word that comes in as one, like the pointer to
// an error, has no other type in Go; len is a builtin there.
func sameWord(expected, found string) bool {
	if found == "word length" {
		found = "word len"
	}
	return expected == found || strings.HasPrefix(expected, "object ") && strings.HasPrefix(found, "word ")
}
