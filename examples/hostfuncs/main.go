// Hostfuncs lets JavaScript use a key-value store that is written in Go. See README.md in this folder.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

//go:embed handler.js
var source string

func main() {
	ctx := context.Background()
	template := hyperlight.Template{
		Register: newStore(2).register,
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("record", hyperlight.Script(source))
		},
	}
	loaded, err := template.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()

	for _, request := range []struct{ user, event string }{
		{"ada", `{"sensor":"door","reading":20}`},
		{"ada", `{"sensor":"door","reading":25}`},
		{"grace", `{"sensor":"door","reading":7}`},
		{"ada", `{"sensor":"roof","reading":1}`},
		{"ada", `{"sensor":"tree","reading":1}`},
	} {
		result, err := loaded.HandleEvent(withUser(ctx, request.user), "record", []byte(request.event))
		switch {
		case errors.Is(err, errFull):
			fmt.Printf("%s: not recorded, since %v\n", request.user, errFull)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Printf("%s: %s\n", request.user, result)
		}
	}
}
