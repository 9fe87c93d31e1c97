package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "jetstream",
		Short: "Runs JavaScript jobs from a queue of NATS JetStream, in micro-VMs",
		Long: "Runs JavaScript jobs from a queue of NATS JetStream, in micro-VMs.\n\n" +
			"Without a command it shows what it can do: a server, two workers, jobs good and bad, and a worker that is killed.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return demo(c.Context(), c.OutOrStdout())
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newWorkCommand(), newSubmitCommand(), newDeadCommand())
	return root
}

// addFlags lets a command be told where the server is.
func (c *connection) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.url, "url", os.Getenv("NATS_URL"),
		"`URL` of the server, or several, separated by commas; also by the environment variable NATS_URL")
	flags.StringVar(&c.credentials, "credentials", "", "`FILE` with the credentials for the server")
}

func newWorkCommand() *cobra.Command {
	var s workSettings
	c := &cobra.Command{
		Use:   "work",
		Short: "Take jobs from the queue and run them, until SIGTERM or Ctrl-C",
		Long: "Takes jobs from the queue and runs them, until SIGTERM or Ctrl-C: then it ends the jobs that run, and takes no others.\n\n" +
			"Without --url it starts a NATS server of its own, for others to connect to.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.work(c.Context(), newLog(c.ErrOrStderr()))
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	s.to.addFlags(flags)
	flags.StringVar(&s.name, "name", defaultName(), "the worker's name, which answers and logs show")
	flags.IntVar(&s.sandboxes.size, "sandboxes", runtime.GOMAXPROCS(0), "how many jobs run at a time")
	flags.DurationVar((*time.Duration)(&s.sandboxes.bounds.Time), "time", 30*time.Second, "how long a job may run")
	flags.DurationVar((*time.Duration)(&s.sandboxes.bounds.CPU), "cpu", 10*time.Second, "how much processor time a job may take")
	flags.IntVar(&s.retries.attempts, "attempts", 5, "how often a job is tried before it is a dead letter")
	flags.DurationVar(&s.retries.first, "backoff", time.Second, "how long a job waits after the first attempt; the time doubles with each")
	flags.DurationVar(&s.retries.most, "backoff-max", time.Minute, "how long a job waits at most")
	flags.DurationVar(&s.grace, "grace", 30*time.Second, "how long jobs may go on when the worker is told to stop")
	flags.DurationVar(&s.streams.ackWait, "ack-wait", 30*time.Second,
		"a worker that is silent for so long is dead, and its jobs go to others; of the queue, when it is made")
	flags.IntVar(&s.streams.replicas, "replicas", 1, "how many servers of a cluster keep each stream; when it is made")
	flags.StringVar(&s.listen, "listen", defaultListen, "`ADDRESS` of the worker's own server")
	flags.StringVar(&s.data, "data", "", "`FOLDER` in which that keeps its streams (default a temporary one, which goes when it ends)")
	return c
}

// defaultListen is where clients look for a server, too (nats.DefaultURL).
const defaultListen = "127.0.0.1:4222"

func defaultName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s-%d", cmp.Or(host, "worker"), os.Getpid())
}

func newSubmitCommand() *cobra.Command {
	var to connection
	var id string
	var own limits
	var wait bool
	c := &cobra.Command{
		Use:   "submit FILE.js [EVENT]",
		Short: "Put a job into the queue, and wait for its result",
		Long:  "Puts a job into the queue, and prints its result when there is one. EVENT is JSON, and {} if it is not given.",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			script, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			j := job{Script: string(script), Limits: own}
			if len(args) == 2 {
				if !json.Valid([]byte(args[1])) {
					return fmt.Errorf("EVENT is not JSON: %s", args[1])
				}
				j.Event = json.RawMessage(args[1])
			}
			streams, done, err := to.open(c)
			if err != nil {
				return err
			}
			defer done()
			if err := streams.submit(c.Context(), id, j); err != nil {
				return err
			}
			if !wait {
				_, err = fmt.Fprintln(c.OutOrStdout(), id)
				return err
			}
			var a answer
			if err := streams.await(c.Context(), id, func(it answer) bool { a = it; return true }); err != nil {
				return err
			}
			if a.failed() {
				return fmt.Errorf("job %s failed %d times, at last at %s: %s", id, a.Attempts, a.Worker, a.Error)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), string(a.Result))
			return err
		},
	}
	to.addFlags(c.Flags())
	c.Flags().StringVar(&id, "id", nuid.Next(), "the job's id: a job that was submitted before is not run again")
	c.Flags().DurationVar((*time.Duration)(&own.Time), "time", 0, "how long it may run, if that is less than the workers allow")
	c.Flags().DurationVar((*time.Duration)(&own.CPU), "cpu", 0, "how much processor time it may take, if that is less")
	c.Flags().BoolVar(&wait, "wait", true, "wait for the result; --wait=false prints the job's id")
	return c
}

func newDeadCommand() *cobra.Command {
	var to connection
	c := &cobra.Command{
		Use:   "dead",
		Short: "List the jobs that failed for good",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			streams, done, err := to.open(c)
			if err != nil {
				return err
			}
			defer done()
			letters, err := streams.deadLetters(c.Context())
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, letter := range letters {
				_, _ = fmt.Fprintf(table, "%s\t%s attempts\t%s\n", letter.id, letter.header.Get(headerAttempts), letter.header.Get(headerReason))
			}
			return table.Flush()
		},
	}
	to.addFlags(c.Flags())
	return c
}

// open connects a client.
func (c connection) open(command *cobra.Command) (s *streams, done func(), err error) {
	c.url = cmp.Or(c.url, nats.DefaultURL)
	conn, err := c.connect("jetstream "+command.Name(), newLog(command.ErrOrStderr()))
	if err != nil {
		return nil, nil, err
	}
	s, err = findStreams(command.Context(), conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return s, conn.Close, nil
}
