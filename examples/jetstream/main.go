// Jetstream runs JavaScript jobs that wait in a queue of NATS JetStream, in as many worker processes as you start.
// README.md in this folder shows how it is used.
//
//	command.go    the command line
//	job.go        what a job is, and its answer
//	streams.go    the streams in which jobs, answers and dead letters are kept
//	worker.go     takes jobs from the queue, until it is told to stop
//	delivery.go   one job at one worker: run it, then answer it, try it again, or give up
//	heartbeat.go  tells the server that a long job is not lost
//	outcome.go    answers a job once and for all
//	sandboxes.go  the micro-VMs that the scripts run in, and their limits
//	client.go     puts jobs in, and reads what became of them
//	connect.go    how to reach a server; server.go, the one inside this program; server_log.go, what that says
//	work.go       the command work, which puts these together; log.go, what it logs
//	demo.go       all of it in one go, with a worker that is killed; process.go, worker processes; transcript.go,
//	              what they logged
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is the program. The first signal has it finish its work; a second one ends it at once.
func run(args []string) (exitCode int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	program := newCommand()
	program.SetArgs(args)
	if err := program.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "jetstream:", err)
		return 1
	}
	return 0
}
