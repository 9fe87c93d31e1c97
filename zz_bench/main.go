package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

func main() {
	ctx := context.Background()
	size, _ := strconv.Atoi(os.Args[1])
	callers, _ := strconv.Atoi(os.Args[2])
	template := hyperlight.Template{Options: []hyperlight.Option{hyperlight.WithUpstreamDefaults()}, Add: func(s *hyperlight.JSSandbox) error {
		return s.AddHandler("handler", hyperlight.Script("function handler(event) { return event; }"))
	}}
	pool, err := hyperlight.NewPool(ctx, template, hyperlight.PoolSize(size))
	check(err)
	var group sync.WaitGroup
	start := time.Now()
	var calls, mu = 0, sync.Mutex{}
	for range callers {
		group.Go(func() {
			for time.Since(start) < 5*time.Second {
				_, err := pool.HandleEvent(ctx, "handler", []byte(`{"a":1}`))
				check(err)
				mu.Lock()
				calls++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	fmt.Println("size", size, "callers", callers, "calls/s", calls/5)
	fmt.Printf("%+v\n", pool.Stats())
	check(pool.Close(ctx))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
