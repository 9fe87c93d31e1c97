// Server is a server that needs no guest: it answers with its arguments.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Println("nowhere to listen")
		os.Exit(7)
	}
	fmt.Println("ready")
	panic(http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, os.Args[2:])
	})))
}
