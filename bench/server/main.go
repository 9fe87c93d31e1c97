// Server measures an HTTP server whose answers come from guests, with many clients at a time. See README.md.
//
//	strategies.go  what a request gets a guest by
//	server.go      the server
//	load.go        the clients
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// settings are what the flags say.
type settings struct {
	strategies      []string
	clients         []int
	pools           []int
	pool, scaleWith int
	renewClients    int
	bounds          bounds
}

func parseFlags(args []string) (*settings, error) {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	s := &settings{}
	strategyNames := flags.String("strategies", strings.Join(names(), ","), "which ones, separated by commas")
	clients := flags.String("clients", "1,2,4,8,16,32,64", "how many clients send requests at a time, one after the other")
	flags.IntVar(&s.pool, "pool", 4, "how many sandboxes there are for that")
	pools := flags.String("pools", "1,2,4,8", "how many sandboxes there are, one after the other, to see how it scales")
	flags.IntVar(&s.scaleWith, "scale-clients", 64, "how many clients send requests for that")
	flags.IntVar(&s.renewClients, "renew-clients", 256,
		"how many clients there are for renew at most: where a guest boots slowly, many wait long for their turn")
	flags.DurationVar(&s.bounds.duration, "duration", 2*time.Second, "when a run ends, at the latest; at most 1m")
	flags.IntVar(&s.bounds.requests, "requests", 20_000, "after how many requests a run ends, at the latest; at most 1000000")
	err := flags.Parse(args)
	if err != nil {
		return nil, err
	}
	if s.clients, err = numbers(*clients); err != nil {
		return nil, fmt.Errorf("--clients: %w", err)
	}
	if s.pools, err = numbers(*pools); err != nil {
		return nil, fmt.Errorf("--pools: %w", err)
	}
	s.strategies = strings.Split(*strategyNames, ",")
	for _, name := range s.strategies {
		if strategies[name] == nil {
			return nil, fmt.Errorf("there is no strategy %q; there are: %s", name, strings.Join(names(), ", "))
		}
	}
	return s, s.check(flags.NArg())
}

// check says what is out of bounds: the load of a benchmark ends by itself, and soon.
func (s *settings) check(arguments int) error {
	switch {
	case arguments > 0:
		return fmt.Errorf("there are %d arguments, but only flags are known", arguments)
	case s.bounds.duration <= 0 || s.bounds.duration > time.Minute:
		return fmt.Errorf("--duration is %v: use more than 0, and at most 1m", s.bounds.duration)
	case s.bounds.requests < 1 || s.bounds.requests > 1_000_000:
		return fmt.Errorf("--requests is %d: use 1 to 1000000", s.bounds.requests)
	}
	for _, number := range slices.Concat(s.clients, s.pools, []int{s.pool, s.scaleWith, s.renewClients}) {
		if number < 1 || number > 256 {
			return fmt.Errorf("%d clients or sandboxes: use 1 to 256", number)
		}
	}
	return nil
}

// numbers reads a list such as 1,2,4. An empty one is none.
func numbers(list string) ([]int, error) {
	var result []int
	for text := range strings.SplitSeq(list, ",") {
		if list == "" {
			break
		}
		number, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", text)
		}
		result = append(result, number)
	}
	return result, nil
}

func main() {
	s, err := parseFlags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	workload.Check(s.run(ctx))
}

func (s *settings) run(ctx context.Context) error {
	for _, name := range s.strategies {
		clients, scaleWith := s.clients, s.scaleWith
		if name == "renew" {
			tooMany := func(count int) bool { return count > s.renewClients }
			clients, scaleWith = slices.DeleteFunc(slices.Clone(clients), tooMany), min(scaleWith, s.renewClients)
		}
		if err := measure(ctx, name, s.pool, clients, s.bounds); err != nil {
			return err
		}
		for _, pool := range s.pools {
			if pool == s.pool && slices.Contains(clients, scaleWith) {
				continue // done above
			}
			if err := measure(ctx, name, pool, []int{scaleWith}, s.bounds); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure starts a server, sends requests from so many clients, and prints what came of it.
func measure(ctx context.Context, name string, pool int, clients []int, bounds bounds) error {
	if len(clients) == 0 {
		return nil
	}
	strategy, err := strategies[name](ctx, pool)
	if err != nil {
		return fmt.Errorf("start %s with %d sandboxes: %w", name, pool, err)
	}
	defer strategy.close()
	server := serve(strategy)
	defer server.Close()
	// A sandbox gets a thread of its own after some calls from others, and before Linux 6.13 each change takes milliseconds.
	warmUp := 4 * pool
	if name == "renew" {
		warmUp = 1
	}
	for _, count := range clients {
		result, err := load(ctx, server.URL, count, warmUp, bounds)
		if err != nil {
			return fmt.Errorf("%s, %d sandboxes, %d clients: %w", name, pool, count, err)
		}
		workloadName := fmt.Sprintf("server_%s_pool_%d_clients_%d", name, pool, count)
		fmt.Printf("%s_rps\trequests/s\t%.1f\n", workloadName, result.perSecond())
		fmt.Printf("%s_p50\tus\t%.1f\n", workloadName, result.percentile(50))
		fmt.Printf("%s_p99\tus\t%.1f\n", workloadName, result.percentile(99))
	}
	return nil
}
