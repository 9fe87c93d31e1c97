package hyperlight_test

import (
	"context"
	"fmt"
	"log"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// A handler may be async. There are no timers, so what it awaits has to come from itself.
func ExampleJSSandbox_AddHandler_async() {
	loaded := newLoaded(`
		const later = async (value) => value;
		async function handler(event) { return await later(event) + 1; }`)
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`41`))
	fmt.Println(string(result), err)
	// Output: 42 <nil>
}

// Every guest has the modules io, crypto, console and require.
func ExampleJSSandbox_AddHandler_builtin() {
	loaded := newLoaded(`
		import { createHmac } from "crypto";
		export function handler(event) {
			return createHmac("sha256", "key").update(event).digest("hex").slice(0, 16);
		}`)
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`"message"`))
	fmt.Println(string(result), err)
	// Output: "6e9ef29b75fffc5b" <nil>
}

// Several handlers of one sandbox share its modules, and their state.
func ExampleJSSandbox_AddHandler_shared() {
	ctx := context.Background()
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range []error{
		sandbox.AddModule("store", hyperlight.Script(`export const store = new Map();`)),
		sandbox.AddHandler("put", hyperlight.Script(`
			import { store } from "user:store";
			function handler({ key, value }) { store.set(key, value); return null; }`)),
		sandbox.AddHandler("get", hyperlight.Script(`
			import { store } from "user:store";
			function handler(key) { return store.get(key) ?? null; }`)),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	if _, err := loaded.HandleEvent(ctx, "put", []byte(`{"key":"a","value":[1,2]}`)); err != nil {
		log.Fatal(err)
	}
	result, err := loaded.HandleEvent(ctx, "get", []byte(`"a"`))
	fmt.Println(string(result), err)
	// Output: [1,2] <nil>
}

func ExampleJSSandbox_RemoveModule() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sandbox.Close()
	if err := sandbox.AddModule("math", hyperlight.Script("export const two = 2;")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sandbox.RemoveModule("math"))
	fmt.Println(sandbox.RemoveModule("math"))
	fmt.Println(sandbox.ClearModules(), sandbox.ClearHandlers())
	// Output:
	// <nil>
	// hyperlight: RemoveModule: Module does not exist: user:math
	// <nil> <nil>
}
