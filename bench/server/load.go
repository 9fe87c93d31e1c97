package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

// bounds end a run, whichever comes first.
type bounds struct {
	duration time.Duration
	requests int
}

// result is what the clients of a run saw.
type result struct {
	elapsed   time.Duration
	latencies *hdrhistogram.Histogram // in nanoseconds
}

func (r *result) perSecond() float64 { return float64(r.latencies.TotalCount()) / r.elapsed.Seconds() }

// percentile is in microseconds.
func (r *result) percentile(percent float64) float64 {
	return float64(r.latencies.ValueAtPercentile(percent)) / 1000
}

// newHistogram holds up to a minute, to three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(time.Minute), 3) }

// load sends requests from so many clients. Each has a connection of its own, and sends a request when the one before has
// been answered. The first request of each warms up, and is not counted. An answer that is not a success fails the run.
func load(ctx context.Context, url string, clients int, bounds bounds) (*result, error) {
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients},
		Timeout:   time.Minute,
	}
	defer client.CloseIdleConnections()
	if err := eachClient(clients, func(int) error { return request(ctx, client, url) }); err != nil {
		return nil, err
	}
	histograms := make([]*hdrhistogram.Histogram, clients)
	var sent atomic.Int64
	start := time.Now()
	err := eachClient(clients, func(number int) error {
		latencies := newHistogram()
		histograms[number] = latencies
		for time.Since(start) < bounds.duration && sent.Add(1) <= int64(bounds.requests) {
			begin := time.Now()
			if err := request(ctx, client, url); err != nil {
				return err
			}
			if err := latencies.RecordValue(int64(time.Since(begin))); err != nil {
				return err
			}
		}
		return nil
	})
	total := &result{elapsed: time.Since(start), latencies: newHistogram()}
	for _, latencies := range histograms {
		total.latencies.Merge(latencies)
	}
	return total, err
}

func eachClient(clients int, run func(number int) error) error {
	var group errgroup.Group
	for number := range clients {
		group.Go(func() error { return run(number) })
	}
	return group.Wait()
}

func request(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(workload.Request))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answered %s: %s", response.Status, body)
	}
	return err
}
