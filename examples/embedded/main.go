// Embedded carries the native library in its executable, and needs no other file. See README.md in this folder.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed libhyperlight_js_capi.so
var library []byte

//go:embed handler.js
var source string

func main() {
	if err := hyperlight.UseLibrary(library); err != nil {
		log.Fatal(err)
	}
	result, err := hyperlight.Run(context.Background(), source, []byte(`{"name":"World"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(result))
}
