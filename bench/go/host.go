package main

import (
	"fmt"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// hostFunctions is what a guest asks of its host. The value is what one more call in the same event costs.
func hostFunctions() {
	workload.Measure("host_json", "ns", func() float64 {
		proto := newProto()
		check(proto.Register("host", "add", func(a, b float64) float64 { return a + b }))
		return oneMore(startProto(proto, workload.Add), 5, 100, `{"n":%d}`)
	})
	for _, size := range []struct {
		name                    string
		bytes, operations, more int
	}{
		{"host_bytes_1kb", 1_000, 5, 50},
		{"host_bytes_1mb", 1_000_000, 2, 2},
	} {
		workload.Measure(size.name, "ns", func() float64 {
			proto := newProto()
			check(proto.Register("host", "echo", func(data []byte) []byte { return data }))
			event := fmt.Sprintf(`{"n":%%d,"bytes":%d}`, size.bytes)
			return oneMore(startProto(proto, workload.EchoBytes), size.operations, size.more, event)
		})
	}
	workload.Measure("print", "ns", func() float64 {
		loaded := start(workload.Print, hyperlight.WithPrintFunc(func(string) {}))
		return oneMore(loaded, 5, 100, `{"n":%d}`)
	})
}

func oneMore(loaded *hyperlight.LoadedJSSandbox, operations, more int, event string) float64 {
	defer loaded.Close()
	return workload.OneMore(operations, more, func(uses int) { call(loaded, fmt.Appendf(nil, event, uses)) })
}
