package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// run boots a sandbox with whatever setUp registers, and one handler, and calls that.
func run(setUp func(*hyperlight.ProtoJSSandbox) error, source, event string) (string, error) {
	ctx := context.Background()
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := setUp(proto); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("handler", hyperlight.Script(source)); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	result, err := loaded.HandleEvent(ctx, "handler", []byte(event))
	return string(result), err
}

func ExampleProtoJSSandbox_Register() {
	result, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("math", "add", func(a, b float64) float64 { return a + b })
	}, `
		import * as math from "math";
		function handler(event) { return math.add(event.a, event.b); }`,
		`{"a":1.5,"b":40.5}`)
	fmt.Println(result, err)
	// Output: 42 <nil>
}

// Bytes are a Uint8Array, wherever they are in a value.
func ExampleProtoJSSandbox_Register_bytes() {
	type file struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	result, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("files", "upper", func(f file) (file, error) {
			if len(f.Data) == 0 {
				return file{}, errors.New(f.Name + " is empty")
			}
			return file{strings.ToUpper(f.Name), []byte(strings.ToUpper(string(f.Data)))}, nil
		})
	}, `
		import * as files from "files";
		function handler() {
			const { name, data } = files.upper({ name: "a.txt", data: new Uint8Array([104, 105]) });
			return name + ": " + String.fromCharCode(...data);
		}`, `{}`)
	fmt.Println(result, err)
	// Output: "A.TXT: HI" <nil>
}

// A Go error is an exception in JavaScript, and comes back as itself if nobody catches it.
func ExampleProtoJSSandbox_Register_errors() {
	errLocked := errors.New("the door is locked")
	_, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("door", "open", func(ctx context.Context, key string) error {
			if key != "right" {
				return errLocked
			}
			return ctx.Err()
		})
	}, `
		import * as door from "door";
		function handler(event) { door.open(event); return "open"; }`, `"wrong"`)
	fmt.Println(errors.Is(err, hyperlight.ErrJSException), errors.Is(err, errLocked))
	// Output: true true
}

func ExampleProtoJSSandbox_HostModule() {
	result, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		text := proto.HostModule("text")
		return errors.Join(
			text.Register("upper", strings.ToUpper),
			text.Register("join", func(separator string, parts ...string) string { return strings.Join(parts, separator) }),
		)
	}, `
		import { upper, join } from "text";
		function handler(event) { return upper(join("-", ...event)); }`,
		`["a","b","c"]`)
	fmt.Println(result, err)
	// Output: "A-B-C" <nil>
}

func ExampleProtoJSSandbox_RegisterRaw() {
	result, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.RegisterRaw("debug", "show", func(_ context.Context, args hyperlight.RawValue) (hyperlight.RawValue, error) {
			fmt.Printf("%s %q\n", args.JSON, args.Blobs)
			return hyperlight.RawBytes([]byte("seen")), nil
		})
	}, `
		import * as debug from "debug";
		function handler() { return debug.show("x", new Uint8Array([104, 105])).length; }`, `{}`)
	fmt.Println(result, err)
	// Output:
	// ["x",{"__bin__":0}] ["hi"]
	// 4 <nil>
}

func ExampleRawValue_Unmarshal() {
	value, err := hyperlight.RawJSON(map[string]any{"id": 7, "data": []byte("bytes")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %q\n", value.JSON, value.Blobs)
	var record struct {
		ID   int
		Data []byte
	}
	err = value.Unmarshal(&record)
	fmt.Printf("%d %s %v\n", record.ID, record.Data, err)
	// Output:
	// {"data":{"__bin__":0},"id":7} ["bytes"]
	// 7 bytes <nil>
}

func ExampleHostPanic() {
	_, err := run(func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("host", "trip", func() { panic("over a wire") })
	}, `
		import * as host from "host";
		function handler() { host.trip(); }`, `{}`)
	var panicked *hyperlight.HostPanic
	if errors.As(err, &panicked) {
		fmt.Println(panicked, errors.Is(err, hyperlight.ErrHostFunctionPanicked))
	}
	// Output: host function "trip" of module "host" panicked: over a wire true
}

func ExampleRawJSON() {
	_, err := hyperlight.RawJSON(make(chan int))
	fmt.Println(err)
	value, err := hyperlight.RawJSON([]any{1, "a", []byte("b")})
	fmt.Printf("%s %q %v\n", value.JSON, value.Blobs, err)
	// Output:
	// hyperlight: RawJSON: chan int has no JSON
	// [1,"a",{"__bin__":0}] ["b"] <nil>
}
