package hyperlight_test

import (
	"context"
	"fmt"
	"log"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// counting describes sandboxes whose handler counts its calls.
var counting = hyperlight.Template{Add: func(sandbox *hyperlight.JSSandbox) error {
	return sandbox.AddHandler("count", hyperlight.Script(`let calls = 0; function handler(event) { return ++calls; }`))
}}

func ExampleTemplate() {
	ctx := context.Background()
	template := hyperlight.Template{
		Options: []hyperlight.Option{hyperlight.WithHeapSize(16 << 20)},
		Register: func(proto *hyperlight.ProtoJSSandbox) error {
			return proto.Register("math", "twice", func(x int) int { return 2 * x })
		},
		Add: func(sandbox *hyperlight.JSSandbox) error {
			return sandbox.AddHandler("twice", hyperlight.Script(`
				import * as math from "math";
				function handler(event) { return math.twice(event); }`))
		},
	}
	for _, event := range []string{"1", "21"} {
		loaded, err := template.Load(ctx)
		if err != nil {
			log.Fatal(err)
		}
		result, err := loaded.HandleEvent(ctx, "twice", []byte(event))
		fmt.Println(string(result), err)
		loaded.Close()
	}
	// Output:
	// 2 <nil>
	// 42 <nil>
}

// Each call finds the guest as it was when it was loaded, whatever others did to it.
func ExampleNewPool() {
	ctx := context.Background()
	pool, err := hyperlight.NewPool(ctx, counting, hyperlight.PoolSize(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close(ctx)
	for range 3 {
		result, err := pool.HandleEvent(ctx, "count", []byte(`null`))
		fmt.Println(string(result), err)
	}
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
}

func ExamplePool_HandleEvent() {
	ctx := context.Background()
	pool, err := hyperlight.NewPool(ctx, counting, hyperlight.PoolSize(1), hyperlight.PoolPolicy(hyperlight.KeepState))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close(ctx)
	for range 2 {
		result, err := pool.HandleEvent(ctx, "count", []byte(`null`), hyperlight.WithGC(false))
		fmt.Println(string(result), err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
}

// A lease is one guest for several calls.
func ExampleLease() {
	ctx := context.Background()
	pool, err := hyperlight.NewPool(ctx, counting, hyperlight.PoolSize(1))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close(ctx)
	for range 2 {
		lease, err := pool.Acquire(ctx)
		if err != nil {
			log.Fatal(err)
		}
		for range 2 {
			result, err := lease.HandleEvent(ctx, "count", []byte(`null`))
			fmt.Println(string(result), err)
		}
		lease.Release()
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 1 <nil>
	// 2 <nil>
}

// Tenants have code of their own, and share sandboxes and host functions.
func ExamplePoolTenants() {
	ctx := context.Background()
	scripts := map[string]string{
		"Ada":   `import * as app from "app"; function handler(event) { return "Hello from " + app.tenant(); }`,
		"Grace": `import * as app from "app"; function handler(event) { return app.tenant() + " says hi"; }`,
	}
	template := hyperlight.Template{Register: func(proto *hyperlight.ProtoJSSandbox) error {
		return proto.Register("app", "tenant", func(ctx context.Context) string {
			key, _ := hyperlight.TenantFromContext(ctx)
			return key
		})
	}}
	source := func(ctx context.Context, key string, sandbox *hyperlight.JSSandbox) error {
		script, ok := scripts[key]
		if !ok {
			return fmt.Errorf("there is no tenant %q", key)
		}
		return sandbox.AddHandler("greet", hyperlight.Script(script))
	}
	pool, err := hyperlight.NewPool(ctx, template, hyperlight.PoolSize(1),
		hyperlight.PoolTenants(source, hyperlight.TenantLimits{Tenants: 100}))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close(ctx)
	for _, key := range []string{"Ada", "Grace", "Ada", "Eve"} {
		result, err := pool.HandleTenantEvent(ctx, key, "greet", []byte(`null`))
		fmt.Println(string(result), err)
	}
	stats := pool.Stats()
	fmt.Println("loaded:", stats.Tenants, "found:", stats.TenantHits)
	// Output:
	// "Hello from Ada" <nil>
	// "Grace says hi" <nil>
	// "Hello from Ada" <nil>
	//  there is no tenant "Eve"
	// loaded: 2 found: 1
}

// A tenant's new code is used from Forget on.
func ExamplePool_Forget() {
	ctx := context.Background()
	version := "first"
	source := func(ctx context.Context, key string, sandbox *hyperlight.JSSandbox) error {
		return sandbox.AddHandler("version", hyperlight.Script(`function handler() { return "`+version+`"; }`))
	}
	pool, err := hyperlight.NewPool(ctx, hyperlight.Template{}, hyperlight.PoolSize(1),
		hyperlight.PoolTenants(source, hyperlight.TenantLimits{}))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close(ctx)
	call := func() {
		result, err := pool.HandleTenantEvent(ctx, "Ada", "version", []byte(`null`))
		fmt.Println(string(result), err)
	}
	call()
	version = "second"
	call()
	pool.Forget("Ada")
	call()
	// Output:
	// "first" <nil>
	// "first" <nil>
	// "second" <nil>
}

func ExamplePoolProgress() {
	ctx := context.Background()
	pool, err := hyperlight.NewPool(ctx, counting, hyperlight.PoolSize(3),
		hyperlight.PoolProgress(func(ready, size int) { fmt.Printf("%d of %d\n", ready, size) }))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pool.Close(ctx))
	// Output:
	// 1 of 3
	// 2 of 3
	// 3 of 3
	// <nil>
}
