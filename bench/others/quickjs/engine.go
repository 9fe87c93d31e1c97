package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/hyperlight-go/hyperlight-js/bench/others/handlers"
	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// engine is QuickJS, compiled once. Each guest is an instance of it, with a memory of its own.
type engine struct {
	ctx      context.Context
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func newEngine(ctx context.Context, path string) (*engine, error) {
	wasm, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: run `npm ci` in bench/others/quickjs first, or set QUICKJS_WASM", err)
	}
	if err != nil {
		return nil, err
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, err
	}
	if err := hostModule(ctx, runtime); err != nil {
		return nil, err
	}
	compiled, err := runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return &engine{ctx, runtime, compiled}, nil
}

// functionsKey is where a call's context has the host's functions of its guest.
type functionsKey struct{}

// hostModule makes what QuickJS calls its host for. Only host_call does anything here.
func hostModule(ctx context.Context, runtime wazero.Runtime) error {
	nothing := func() int32 { return 0 }
	_, err := runtime.NewHostModuleBuilder("env").
		NewFunctionBuilder().WithFunc(hostCall).Export("host_call").
		NewFunctionBuilder().WithFunc(nothing).Export("host_interrupt").
		NewFunctionBuilder().WithFunc(func(_, _, _ int32) {}).Export("host_promise_rejection").
		NewFunctionBuilder().WithFunc(func(_, _ int32) int32 { return 0 }).Export("host_module_normalize").
		NewFunctionBuilder().WithFunc(func(_, _ int32) int32 { return 0 }).Export("host_module_load").
		NewFunctionBuilder().WithFunc(func(_, _ int32) int32 { return 0 }).Export("host_get_timezone_offset").
		Instantiate(ctx)
	return err
}

// hostCall calls a function of the host, with two numbers.
func hostCall(ctx context.Context, module api.Module, name, nameLen, _, argc, argv uint32) uint32 {
	functions, _ := ctx.Value(functionsKey{}).(handlers.Functions)
	text, _ := module.Memory().Read(name, nameLen)
	function := functions[string(text)]
	if function == nil || argc != 2 {
		panic(fmt.Sprintf("the guest called %q with %d arguments", text, argc))
	}
	call := func(export string, argument uint64) uint64 {
		results, err := module.ExportedFunction(export).Call(ctx, argument)
		if err != nil {
			panic(err)
		}
		return results[0]
	}
	var numbers [2]float64
	for i := range numbers {
		value, _ := module.Memory().ReadUint32Le(argv + uint32(4*i))
		numbers[i] = api.DecodeF64(call("qjs_get_float64", uint64(value)))
	}
	return uint32(call("qjs_new_number", api.EncodeF64(function(numbers[0], numbers[1]))))
}

// CollectsGarbage: QuickJS counts references, and collects cycles when it is told to.
func (e *engine) CollectsGarbage() bool { return true }

func (e *engine) Start(script string, functions handlers.Functions) (handlers.Guest, error) {
	module, err := e.runtime.InstantiateModule(e.ctx, e.compiled,
		wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, err
	}
	g := &guest{module: module, ctx: context.WithValue(e.ctx, functionsKey{}, functions)}
	if err := g.load(script, functions); err != nil {
		return nil, errors.Join(err, module.Close(e.ctx))
	}
	image, _ := module.Memory().Read(0, module.Memory().Size())
	g.image = append(g.image, image...)
	return g, nil
}

// guest is one instance.
type guest struct {
	ctx    context.Context
	module api.Module
	image  []byte // its memory after the script was loaded

	handler, undefined, length uint64 // addresses in its memory

	// What each call needs, looked up once.
	malloc, free, newString, call, isException, getString, freeString, freeValue, runGC api.Function
}

func (g *guest) load(script string, functions handlers.Functions) error {
	for name, function := range map[string]*api.Function{
		"wasm_malloc": &g.malloc, "wasm_free": &g.free, "qjs_new_string": &g.newString, "qjs_call": &g.call,
		"qjs_is_exception": &g.isException, "qjs_get_string_len": &g.getString, "qjs_free_cstring": &g.freeString,
		"qjs_free_value": &g.freeValue, "qjs_run_gc": &g.runGC,
	} {
		*function = g.module.ExportedFunction(name)
	}
	if status, err := g.invoke(g.export("qjs_init")); err != nil || status != 0 {
		return fmt.Errorf("start QuickJS: status %d, error %w", status, err)
	}
	if _, err := g.invoke(g.export("qjs_set_memory_limit"), workload.HeapBytes); err != nil {
		return err
	}
	var err error
	if g.undefined, err = g.invoke(g.export("qjs_get_undefined")); err != nil {
		return err
	}
	if g.length, err = g.invoke(g.malloc, 4); err != nil {
		return err
	}
	if err := g.define(functions); err != nil {
		return err
	}
	if _, err := g.eval(script); err != nil {
		return err
	}
	g.handler, err = g.eval(handlers.Call)
	return err
}

// define sets the global object "host".
func (g *guest) define(functions handlers.Functions) error {
	object, err := g.eval("globalThis.host = {}")
	if err != nil {
		return err
	}
	for name := range functions {
		text, length, err := g.write([]byte(name))
		if err != nil {
			return err
		}
		function, err := g.invoke(g.export("qjs_new_host_function"), text, length, 0)
		if err != nil {
			return err
		}
		if _, err := g.invoke(g.export("qjs_set_prop_string"), object, text, function); err != nil {
			return err
		}
	}
	return nil
}

// eval runs a script and returns the address of its value.
func (g *guest) eval(script string) (uint64, error) {
	code, codeLen, err := g.write([]byte(script))
	if err != nil {
		return 0, err
	}
	name, _, err := g.write([]byte("handler.js"))
	if err != nil {
		return 0, err
	}
	value, err := g.invoke(g.export("qjs_eval"), code, codeLen, name, 0)
	if err != nil {
		return 0, err
	}
	return value, g.thrown(value)
}

func (g *guest) Handle(event []byte, gc bool) ([]byte, error) {
	text, length, err := g.write(event)
	if err != nil {
		return nil, err
	}
	argument, err := g.invoke(g.newString, text, length)
	if err != nil {
		return nil, err
	}
	// The event's memory, no longer needed, holds the list of arguments: it has 8 bytes at least.
	g.module.Memory().WriteUint32Le(uint32(text), uint32(argument))
	value, err := g.invoke(g.call, g.handler, g.undefined, 1, text)
	if err != nil {
		return nil, err
	}
	if err := g.thrown(value); err != nil {
		return nil, err
	}
	result, err := g.text(value)
	for _, step := range []struct {
		function api.Function
		address  uint64
	}{{g.freeValue, value}, {g.freeValue, argument}, {g.free, text}} {
		if err == nil {
			_, err = g.invoke(step.function, step.address)
		}
	}
	if gc && err == nil {
		_, err = g.invoke(g.runGC)
	}
	return result, err
}

// Restore writes the whole memory again. What was added to it since is not used then.
func (g *guest) Restore() error {
	if !g.module.Memory().Write(0, g.image) {
		return errors.New("the guest's memory has shrunk")
	}
	return nil
}

func (g *guest) Close() error { return g.module.Close(g.ctx) }

// write copies bytes into the guest, with a zero behind them.
func (g *guest) write(data []byte) (address, length uint64, err error) {
	address, err = g.invoke(g.malloc, uint64(len(data)+8))
	if err != nil {
		return 0, 0, err
	}
	memory := g.module.Memory()
	if address == 0 || !memory.Write(uint32(address), data) || !memory.WriteByte(uint32(address)+uint32(len(data)), 0) {
		return 0, 0, fmt.Errorf("the guest has no memory for %d bytes", len(data))
	}
	return address, uint64(len(data)), nil
}

// thrown is the exception, if a value says that there is one.
func (g *guest) thrown(value uint64) error {
	is, err := g.invoke(g.isException, value)
	if err != nil || is == 0 {
		return err
	}
	exception, err := g.invoke(g.export("qjs_get_exception"))
	if err != nil {
		return err
	}
	text, err := g.text(exception)
	if err != nil {
		return err
	}
	return errors.New(string(text))
}

// text is a value as text.
func (g *guest) text(value uint64) ([]byte, error) {
	address, err := g.invoke(g.getString, value, g.length)
	if err != nil {
		return nil, err
	}
	length, _ := g.module.Memory().ReadUint32Le(uint32(g.length))
	borrowed, ok := g.module.Memory().Read(uint32(address), length)
	if address == 0 || !ok {
		return nil, errors.New("the guest has no text for a value")
	}
	result := append([]byte(nil), borrowed...)
	_, err = g.invoke(g.freeString, address)
	return result, err
}

func (g *guest) export(name string) api.Function { return g.module.ExportedFunction(name) }

// invoke calls a function with at most one result.
func (g *guest) invoke(function api.Function, arguments ...uint64) (uint64, error) {
	results, err := function.Call(g.ctx, arguments...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}
