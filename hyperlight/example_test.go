package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// newLoaded is what the examples below begin with.
func newLoaded(source string, opts ...hyperlight.Option) *hyperlight.LoadedJSSandbox {
	ctx := context.Background()
	proto, err := hyperlight.New(opts...)
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("greet", hyperlight.Script(source)); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	return loaded
}

func Example() {
	ctx := context.Background()
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		log.Fatal(err)
	}
	err = sandbox.AddHandler("greet", hyperlight.Script("function handler(event) { return `Hello, ${event.name}!`; }"))
	if err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	result, err := loaded.HandleEvent(ctx, "greet", []byte(`{"name":"World"}`))
	fmt.Println(string(result), err)
	// Output: "Hello, World!" <nil>
}

func ExampleNew() {
	proto, err := hyperlight.New(hyperlight.WithHeapSize(32<<20), hyperlight.WithScratchSize(48<<20))
	if err != nil {
		log.Fatal(err)
	}
	defer proto.Close()
	fmt.Println(proto.Config().HeapSize, proto.Status())
	// Output: 33554432 ready
}

func ExampleProtoJSSandbox_LoadRuntime() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sandbox.Close()
	fmt.Println(proto.Status(), sandbox.Status())
	// Output: consumed ready
}

func ExampleJSSandbox_AddHandler() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sandbox.Close()
	script := hyperlight.Script(`function handler(event) { return event; }`)
	fmt.Println(sandbox.AddHandler("echo", script))
	fmt.Println(errors.Is(sandbox.AddHandler("echo", script), hyperlight.ErrHandlerExists))
	// Output:
	// <nil>
	// true
}

func ExampleLoadedJSSandbox_HandleEvent() {
	loaded := newLoaded(`let calls = 0; function handler(event) { return { calls: ++calls, sum: event.a + event.b }; }`)
	defer loaded.Close()
	for range 2 {
		result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{"a":1,"b":2}`))
		fmt.Println(string(result), err)
	}
	// Output:
	// {"calls":1,"sum":3} <nil>
	// {"calls":2,"sum":3} <nil>
}

func ExampleLoadedJSSandbox_Unload() {
	loaded := newLoaded(`function handler() { return "old"; }`)
	sandbox, err := loaded.Unload(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("greet", hyperlight.Script(`function handler() { return "new"; }`)); err != nil {
		log.Fatal(err)
	}
	loaded, err = sandbox.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(string(result), err)
	// Output: "new" <nil>
}

func ExampleJSException() {
	loaded := newLoaded(`function handler(event) { throw new Error("no " + event.what); }`)
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{"what":"way"}`))
	var exception *hyperlight.JSException
	if errors.As(err, &exception) {
		fmt.Println(exception.Message)
		fmt.Print(exception.Stack)
	}
	// Output:
	// no way
	//     at handler (./greet.js:1:50)
}

func ExampleError() {
	loaded := newLoaded(`function handler(event) {}`)
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{"cut":`))
	fmt.Println(errors.Is(err, hyperlight.ErrInvalidJSON), loaded.Status())
	fmt.Println(err)
	// Output:
	// true ready
	// hyperlight: HandleEvent: Conversion of str data to json failed: EOF while parsing a value at line 1 column 7
}

func ExampleWithPrint() {
	loaded := newLoaded(`function handler(event) { console.log("hello from the guest"); return null; }`,
		hyperlight.WithPrint(os.Stdout))
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(err)
	// Output:
	// hello from the guest
	// <nil>
}

func ExampleWithPrintFunc() {
	loaded := newLoaded(`function handler(event) { console.log("one"); print("two"); return null; }`)
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`),
		hyperlight.WithPrintFunc(func(text string) { fmt.Printf("%q\n", text) }))
	fmt.Println(err)
	// Output:
	// "one\n"
	// "two"
	// <nil>
}

func ExampleWithPrintLimit() {
	loaded := newLoaded(`function handler(event) { print("a long story"); return null; }`,
		hyperlight.WithPrint(os.Stdout), hyperlight.WithPrintLimit(6))
	defer loaded.Close()
	var stats hyperlight.ExecutionStats
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`), hyperlight.WithStats(&stats))
	fmt.Println("...", stats.PrintDropped, "bytes more", err)
	// Output: a long... 6 bytes more <nil>
}

func ExampleWithGC() {
	loaded := newLoaded(`function handler(event) { return event; }`)
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "greet", []byte(`"fast"`), hyperlight.WithGC(false))
	fmt.Println(string(result), err)
	// Output: "fast" <nil>
}

func ExampleLibrary() {
	info, err := hyperlight.Library()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ABI", info.ABIVersion)
	// Output: ABI 1
}

func ExampleJSSandbox_AddModule() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	module := hyperlight.Script("export function double(x) { return 2 * x; }")
	if err := sandbox.AddModule("math", module); err != nil {
		log.Fatal(err)
	}
	handler := hyperlight.Script("import { double } from 'user:math';\nexport function handler(event) { return double(event); }")
	if err := sandbox.AddHandler("double", handler); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	result, err := loaded.HandleEvent(context.Background(), "double", []byte("21"))
	fmt.Println(string(result), err)
	// Output: 42 <nil>
}

func ExampleJSSandbox_AddModuleNS() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sandbox.Close()
	module := hyperlight.Script("export const rate = 0.19;") // import { rate } from "shop:tax"
	fmt.Println(sandbox.AddModuleNS("tax", module, "shop"))
	fmt.Println(sandbox.AddModuleNS("tax", module, "host"))
	// Output:
	// <nil>
	// hyperlight: AddModuleNS: Module namespace 'host' is reserved
}

func ExampleScript() {
	script := hyperlight.Script(`import { x } from "./x.js";`).WithVirtualBase("/lib")
	fmt.Println(script.BasePath(), len(script.Content()))
	// Output: /lib 27
}

func ExampleStatus() {
	loaded := newLoaded(`function handler(event) { return event; }`)
	fmt.Println(loaded.Status(), loaded.Status().IsReady())
	_ = loaded.Close()
	fmt.Println(loaded.Status())
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	fmt.Println(errors.Is(err, hyperlight.ErrClosed))
	// Output:
	// ready true
	// closed
	// true
}

func ExampleWithUpstreamDefaults() {
	proto, err := hyperlight.New(hyperlight.WithUpstreamDefaults(), hyperlight.WithInputBufferSize(64<<10))
	if err != nil {
		log.Fatal(err)
	}
	defer proto.Close()
	config := proto.Config()
	fmt.Println(config.HeapSize, config.ScratchSize, config.InputBufferSize, config.OutputBufferSize)
	// Output: 4194304 1048576 65536 16384
}

func ExampleIsHypervisorPresent() {
	present, err := hyperlight.IsHypervisorPresent()
	fmt.Println(present, err) // Probe finds out whether it works.
	// Output: true <nil>
}

// What fails in the guest costs the sandbox, and says why.
func ExampleJSSandbox_Load() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("broken", hyperlight.Script("function handler( {")); err != nil {
		log.Fatal(err)
	}
	_, err = sandbox.Load(context.Background())
	var exception *hyperlight.JSException
	fmt.Println(errors.As(err, &exception), sandbox.Status())
	// Output: true consumed
}

func ExampleJSSandbox_RemoveHandler() {
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer sandbox.Close()
	if err := sandbox.AddHandler("greet", hyperlight.Script("function handler() {}")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sandbox.RemoveHandler("greet"))
	fmt.Println(sandbox.RemoveHandler("greet"))
	// Output:
	// <nil>
	// hyperlight: RemoveHandler: Handler does not exist for function name: greet
}

func ExampleError_Format() {
	loaded := newLoaded(`function handler(event) { throw new Error("no way"); }`)
	defer loaded.Close()
	_, err := loaded.HandleEvent(context.Background(), "greet", []byte(`{}`))
	var failure *hyperlight.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Op, failure.Code == hyperlight.CodeJSException, failure.GuestCode)
	}
	lines := strings.Split(fmt.Sprintf("%+v", err), "\n")
	fmt.Println(lines[len(lines)-2])
	// Output:
	// HandleEvent true 15
	//     at handler (./greet.js:1:36)
}

func ExampleWithHeapSize() {
	_, err := hyperlight.New(hyperlight.WithHeapSize(1 << 20))
	fmt.Println(errors.Is(err, hyperlight.ErrMemorySize), errors.Is(err, hyperlight.ErrInvalidArgument))
	// Output: true true
}

func ExampleScriptFile() {
	_, err := hyperlight.ScriptFile("missing.js")
	fmt.Println(errors.Is(err, hyperlight.ErrInvalidArgument), errors.Is(err, fs.ErrNotExist))
	// Output: true true
}

func ExampleUseLibraryFile() {
	if _, err := hyperlight.Library(); err != nil { // It is loaded now.
		log.Fatal(err)
	}
	err := hyperlight.UseLibraryFile("/opt/lib/libhyperlight_js_capi.so")
	fmt.Println(errors.Is(err, hyperlight.ErrLibraryLoaded))
	// Output: true
}

func ExampleProbe() {
	// When a program starts, rather than at the first request.
	if err := hyperlight.Probe(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("guests run here")
	// Output: guests run here
}
