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
	result, err := hyperlight.Run(context.Background(), source, []byte(`{"name":"World"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(result))
}
