package main

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

//go:embed jobs/*.js
var scripts embed.FS

// demoJob is a job with its id.
type demoJob struct {
	id string
	job
}

// demoJobs are some that are done at once, and one of each kind that makes trouble.
func demoJobs() (jobs []demoJob) {
	add := func(id, script, event string, own limits) {
		text, err := scripts.ReadFile("jobs/" + script + ".js")
		if err != nil {
			panic(err) // They are part of the program.
		}
		jobs = append(jobs, demoJob{id, job{string(text), json.RawMessage(event), own}})
	}
	for n := range 8 {
		if n == 4 {
			add("flaky", "flaky", `{}`, limits{})
			add("poison", "poison", `{"order":null}`, limits{})
			add("endless", "endless", `{}`, limits{Time: duration(time.Second)})
			add("interrupted", "interrupted", `{}`, limits{})
		}
		add(fmt.Sprintf("primes-%d", n+1), "primes", fmt.Sprintf(`{"upTo":%d}`, (n+1)*100), limits{})
	}
	return jobs
}

// demo is the command without arguments.
func demo(ctx context.Context, w io.Writer) error {
	w = &lockedWriter{w: w}
	say := func(format string, values ...any) { _, _ = fmt.Fprintf(w, "\n# "+format+"\n", values...) }
	own, err := startServer("127.0.0.1:0", "", newLog(w))
	if err != nil {
		return err
	}
	defer own.stop()
	conn, err := connection{url: own.url()}.connect("demo", newLog(w))
	if err != nil {
		return err
	}
	defer conn.Close()
	streams, err := openStreams(ctx, conn, streamSettings{replicas: 1, ackWait: 10 * time.Second})
	if err != nil {
		return err
	}
	jobs := demoJobs()
	say("A NATS server, in this process, and %d jobs in its queue.", len(jobs))
	for _, j := range jobs {
		if err := streams.submit(ctx, j.id, j.job); err != nil {
			return err
		}
	}
	say("Two workers, each a process.")
	workers, err := startDemoWorkers(w, own.url(), 2)
	defer func() {
		for _, worker := range workers {
			worker.kill() // if it still runs
		}
	}()
	if err != nil {
		return err
	}
	victim, err := whoBegins(ctx, workers, "interrupted")
	if err != nil {
		return err
	}
	say("The one that runs the job interrupted is killed.")
	victim.kill()
	answers, err := collect(ctx, streams, len(jobs))
	if err != nil {
		return err
	}
	say("All jobs are answered; the worker that is left has to stop.")
	for _, worker := range workers {
		if worker != victim {
			if err := worker.drain(); err != nil {
				return err
			}
		}
	}
	say("What became of the jobs:")
	return printAnswers(w, answers)
}

func startDemoWorkers(w io.Writer, url string, count int) (workers []*process, err error) {
	for i := range count {
		worker, err := startProcess(w, "work", "--url", url, "--name", fmt.Sprintf("worker-%d", i+1),
			"--sandboxes", "1", "--attempts", "3", "--backoff", "500ms")
		if err != nil {
			return workers, err
		}
		workers = append(workers, worker)
	}
	return workers, nil
}

// whoBegins waits for one of the workers to begin a job.
func whoBegins(ctx context.Context, workers []*process, id string) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	type first struct {
		worker *process
		err    error
	}
	found := make(chan first, len(workers))
	for _, worker := range workers {
		go func() { found <- first{worker, worker.waitFor(ctx, "job begins", "job="+id+" ")} }()
	}
	one := <-found
	return one.worker, one.err
}

// collect waits for the answers to so many jobs.
func collect(ctx context.Context, s *streams, count int) ([]answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var answers []answer
	err := s.await(ctx, "*", func(a answer) bool {
		answers = append(answers, a)
		return len(answers) == count
	})
	slices.SortFunc(answers, func(a, b answer) int { return cmp.Compare(a.ID, b.ID) })
	return answers, err
}

func printAnswers(w io.Writer, answers []answer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "job\tattempts\tworker\tanswer")
	for _, a := range answers {
		text := string(a.Result)
		if a.failed() {
			text = "dead: " + inOneLine(a.Error)
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", a.ID, a.Attempts, a.Worker, text)
	}
	return table.Flush()
}

// lockedWriter keeps the lines of several processes apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(text)
}
