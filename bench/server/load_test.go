package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
)

func TestLoadEndsAfterTheRequests(t *testing.T) {
	var events atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && string(body) == workload.Request {
			events.Add(1)
		}
	}))
	defer server.Close()
	got, err := load(t.Context(), server.URL, 3, 2, bounds{duration: time.Minute, requests: 20})
	require.NoError(t, err)
	require.EqualValues(t, 20, got.latencies.TotalCount())
	require.EqualValues(t, 2+20, events.Load(), "those that warm up are not counted")
	require.InDelta(t, 20/got.elapsed.Seconds(), got.perSecond(), 0.001)
	require.LessOrEqual(t, got.percentile(50), got.percentile(99))
	require.LessOrEqual(t, got.percentile(99), float64(got.elapsed.Microseconds())*1.01)
}

func TestLoadEndsAfterTheTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) }))
	defer server.Close()
	got, err := load(t.Context(), server.URL, 2, 1, bounds{duration: 50 * time.Millisecond, requests: 1_000_000})
	require.NoError(t, err)
	require.Positive(t, got.latencies.TotalCount())
	require.GreaterOrEqual(t, got.percentile(50), 1000.0, "a millisecond, in microseconds")
}

// All clients have a request under way at the same time, or none of these would be answered.
func TestLoadIsConcurrent(t *testing.T) {
	const clients = 8
	var meeting sync.WaitGroup
	meeting.Add(clients)
	var arrived atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if arrived.Add(1) <= clients {
			meeting.Done()
			meeting.Wait()
		}
	}))
	defer server.Close()
	_, err := load(t.Context(), server.URL, clients, 0, bounds{duration: time.Minute, requests: clients})
	require.NoError(t, err)
}

func TestLoadFailsWithTheServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no guest", http.StatusInternalServerError)
	}))
	defer server.Close()
	_, err := load(t.Context(), server.URL, 1, 0, bounds{duration: time.Second, requests: 1})
	require.ErrorContains(t, err, "500 Internal Server Error: no guest")
}
