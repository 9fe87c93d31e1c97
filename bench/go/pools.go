package main

import (
	"sync"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func pools() {
	// Beside it stands call_and_restore, which a pool does for each call.
	workload.Measure("pool", "ns", func() float64 {
		pool := newPool(workload.Echo, nil, 1)
		defer closePool(pool)
		event := []byte(workload.Event)
		return workload.Each(5, 100, func() {
			_, err := pool.HandleEvent(ctx, "handler", event)
			check(err)
		})
	})
	workload.Measure("threads_per_100_calls", "threads", threads)
}

// threads counts those of the process while 100 guests wait for each other, less those of before.
func threads() float64 {
	const calls = 100
	var meeting sync.WaitGroup
	meeting.Add(calls)
	meet := func() {
		meeting.Done()
		meeting.Wait()
	}
	pool := newPool(`import * as host from "host"; function handler(event) { host.meet(); return event; }`,
		func(proto *hyperlight.ProtoJSSandbox) error { return proto.Register("host", "meet", meet) }, calls)
	defer closePool(pool)
	before := workload.ProcessStatus("Threads:")
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			_, err := pool.HandleEvent(ctx, "handler", []byte(workload.Event))
			check(err)
		})
	}
	meeting.Wait()
	there := workload.ProcessStatus("Threads:") // Threads stay, so this is no race.
	all.Wait()
	return float64(there - before)
}

func newPool(source string, register func(*hyperlight.ProtoJSSandbox) error, size int) *hyperlight.Pool {
	pool, err := hyperlight.NewPool(ctx, hyperlight.Template{
		Options:  sizes,
		Register: register,
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("handler", hyperlight.Script(source))
		},
	}, hyperlight.PoolSize(size))
	check(err)
	return pool
}

func closePool(pool *hyperlight.Pool) { check(pool.Close(ctx)) }
