package hyperlight_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const totalSource = `
	import * as prices from "host:prices";
	function handler(event) {
		return { total: prices.of(event.item) * event.count };
	}`

// The program of docs/migrating-from-js-host-api.md, for those who know upstream's Node.js binding.
func Example_fromNode() {
	ctx := context.Background()
	proto, err := hyperlight.New(hyperlight.WithHeapSize(8<<20), hyperlight.WithScratchSize(16<<20))
	if err != nil {
		log.Fatal(err)
	}
	if err := proto.Register("host:prices", "of", priceOf); err != nil {
		log.Fatal(err)
	}
	sandbox, err := proto.LoadRuntime(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := sandbox.AddHandler("total", hyperlight.Script(totalSource)); err != nil {
		log.Fatal(err)
	}
	loaded, err := sandbox.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer loaded.Close()
	clean, err := loaded.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	limits := hyperlight.WithMonitors(hyperlight.WallClock(time.Minute), hyperlight.CPUTime(time.Minute))
	bill, err := hyperlight.Call[bill](ctx, loaded, "total", order{Item: "tea", Count: 3}, limits)
	if errors.Is(err, hyperlight.ErrCancelled) {
		fmt.Println("it took too long")
	}
	if loaded.Status().IsPoisoned() {
		if err := loaded.Restore(ctx, clean); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(bill.Total, err)
	// Output: 12 <nil>
}

type order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

type bill struct {
	Total float64 `json:"total"`
}

func priceOf(ctx context.Context, item string) (float64, error) {
	if item != "tea" {
		return 0, fmt.Errorf("there is no %s", item)
	}
	return 4, ctx.Err()
}
