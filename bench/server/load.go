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

// patience is how long a client waits for an answer.
const patience = 10 * time.Minute

// newHistogram holds times to three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(2*patience), 3) }

// load sends requests from so many clients. Each has a connection of its own, and sends a request when the one before has
// been answered. So many requests before, one after the other, warm up and are not counted. An answer that is not a
// success fails the run.
func load(ctx context.Context, url string, clients, warmUp int, bounds bounds) (*result, error) {
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients},
		Timeout:   patience,
	}
	defer client.CloseIdleConnections()
	for range warmUp {
		if err := request(ctx, client, url); err != nil {
			return nil, err
		}
	}
	histograms := make([]*hdrhistogram.Histogram, clients)
	var sent atomic.Int64
	start := time.Now()
	var group errgroup.Group
	for number := range clients {
		latencies := newHistogram()
		histograms[number] = latencies
		group.Go(func() error {
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
	}
	err := group.Wait()
	total := &result{elapsed: time.Since(start), latencies: newHistogram()}
	for _, latencies := range histograms {
		total.latencies.Merge(latencies)
	}
	return total, err
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
