// Run runs a JavaScript handler in a micro-VM and prints its result: the program behind
// `./build.sh run`. README.md in this folder shows how it is used.
//
//	command.go  the command line; values.go, the values of its flags
//	input.go    the script and the event
//	execute.go  the sandbox; snapshot.go, where a snapshot takes the place of loading
//	failure.go  what the user reads when something fails, and the exit code; colour.go, how
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. The result of the handler is all that it writes to stdout.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (exitCode int) {
	command, err := parseCommand(args)
	if errors.Is(err, pflag.ErrHelp) {
		_, _ = fmt.Fprint(stdout, help())
		return exitOK
	}
	if err == nil {
		err = command.run(context.Background(), stdin, stdout, stderr)
	}
	if err == nil {
		return exitOK
	}
	text, exitCode := describe(err)
	_, _ = fmt.Fprintln(stderr, paint(text, stderr))
	return exitCode
}
