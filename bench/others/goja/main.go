// Goja runs the workloads of bench/ on goja, a JavaScript engine in Go. See ../README.md.
package main

import (
	"errors"

	"github.com/dop251/goja"

	"github.com/hyperlight-go/hyperlight-js/bench/others/handlers"
)

func main() { handlers.Measure(engine{}) }

type engine struct{}

// CollectsGarbage: the engine's garbage is Go's.
func (engine) CollectsGarbage() bool { return false }

func (engine) Start(script string, functions handlers.Functions) (handlers.Guest, error) {
	program, err := goja.Compile("handler.js", script, false)
	if err != nil {
		return nil, err
	}
	g := &guest{program: program, functions: functions}
	return g, g.Restore()
}

type guest struct {
	program   *goja.Program
	functions handlers.Functions
	runtime   *goja.Runtime
	call      goja.Callable
}

// Restore makes a new runtime: goja cannot take back what a script did.
func (g *guest) Restore() error {
	g.runtime = goja.New()
	if err := g.runtime.Set("host", g.functions); err != nil {
		return err
	}
	if _, err := g.runtime.RunProgram(g.program); err != nil {
		return err
	}
	value, err := g.runtime.RunString(handlers.Call)
	if err != nil {
		return err
	}
	call, ok := goja.AssertFunction(value)
	if !ok {
		return errors.New("the call is no function")
	}
	g.call = call
	return nil
}

func (g *guest) Handle(event []byte, _ bool) ([]byte, error) {
	result, err := g.call(goja.Undefined(), g.runtime.ToValue(string(event)))
	if err != nil {
		return nil, err
	}
	return []byte(result.String()), nil
}

func (g *guest) Close() error { return nil }
