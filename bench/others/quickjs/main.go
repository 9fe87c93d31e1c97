// Quickjs runs the workloads of bench/ on QuickJS, compiled to WebAssembly, on wazero. See ../README.md.
package main

import (
	"cmp"
	"context"
	"os"

	"github.com/hyperlight-go/hyperlight-js/bench/others/handlers"
	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// wasmFile is where npm puts QuickJS, from this folder. The environment variable QUICKJS_WASM names another place.
const wasmFile = "node_modules/quickjs-wasi/quickjs.wasm"

func main() {
	engine, err := newEngine(context.Background(), cmp.Or(os.Getenv("QUICKJS_WASM"), wasmFile))
	workload.Check(err)
	handlers.Measure(engine)
}
