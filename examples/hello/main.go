// Hello runs a JavaScript handler in a micro-VM. See README.md in this folder.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed handler.js
var source string

func main() {
	ctx := context.Background()
	proto, err := hyperlight.New()
	check(err)
	sandbox, err := proto.LoadRuntime(ctx)
	check(err)
	check(sandbox.AddHandler("hello", hyperlight.Script(source)))
	loaded, err := sandbox.Load(ctx)
	check(err)
	defer loaded.Close()
	result, err := loaded.HandleEvent(ctx, "hello", []byte(`{"name":"World"}`))
	check(err)
	fmt.Println(string(result))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
