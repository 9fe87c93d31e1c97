package hyperlight_test

import (
	"context"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// Programs use an embed.FS or os.DirFS; a map keeps the example in one place.
var exampleFiles = fstest.MapFS{
	"handlers/area.js": {Data: []byte(`
import { square } from "../lib/math";
import { unit } from "units";

export function handler(event) {
	return 3 * square(event.radius) + unit;
}`)},
	"lib/math.js":                  {Data: []byte(`export const square = (x) => x * x;`)},
	"node_modules/units/index.mjs": {Data: []byte(`export const unit = " m²";`)},
}

func ExampleProtoJSSandbox_SetModuleLoader() {
	ctx := context.Background()
	proto, err := hyperlight.New()
	if err != nil {
		log.Fatal(err)
	}
	if err := proto.SetModuleLoader(exampleFiles); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		log.Fatal(err)
	}
	script, err := hyperlight.ScriptFS(exampleFiles, "handlers/area.js")
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("area", script); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	result, err := loaded.HandleEvent(ctx, "area", []byte(`{"radius":2}`))
	fmt.Println(string(result), err)
	// Output: "12 m²" <nil>
}

func ExampleScriptFS() {
	script, err := hyperlight.ScriptFS(exampleFiles, "handlers/area.js")
	fmt.Println(script.BasePath(), err)
	_, err = hyperlight.ScriptFS(exampleFiles, "handlers/volume.js")
	fmt.Println(err)
	// Output:
	// /handlers <nil>
	// hyperlight: ScriptFS: Failed to read script from 'handlers/volume.js': open handlers/volume.js: file does not exist
}
