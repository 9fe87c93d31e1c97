package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// process is what sandboxes and calls have of the system's, with the default sizes.
func process() {
	header("what", " threads", " open files", " mappings", " resident KiB")
	print := func(what string, f footprint) {
		row(what, fmt.Sprint(f.threads), fmt.Sprint(f.files), fmt.Sprint(f.mappings), f.resident())
	}
	const sandboxes = 8
	var meeting sync.WaitGroup
	meeting.Add(sandboxes)
	all := make(chan footprint, 1)
	startOne := func() *hyperlight.LoadedJSSandbox {
		proto, err := hyperlight.New()
		check(err)
		check(proto.Register("host", "meet", func() {
			meeting.Done()
			meeting.Wait()
		}))
		return load(bootProto(proto), `
			import * as host from "host";
			function handler(event) { if (event == "meet") host.meet(); return null; }`)
	}
	before := measure()
	_, err := hyperlight.Library()
	check(err)
	print("the library, once", measure().since(before, 1))
	before = measure()
	proto, err := hyperlight.New()
	check(err)
	print("the first `New`", measure().since(before, 1))
	check(proto.Close())
	loaded := []*hyperlight.LoadedJSSandbox{startOne()}
	call(loaded[0], []byte(`null`))
	before = measure()
	call(loaded[0], []byte(`null`), hyperlight.WithMonitors(hyperlight.WallClock(time.Minute)))
	print("the first call with monitors", measure().since(before, 1))
	before = measure()
	for len(loaded) < sandboxes {
		loaded = append(loaded, startOne())
	}
	print("each sandbox, idle", measure().since(before, sandboxes-1))
	before = measure()
	go func() {
		meeting.Wait()
		all <- measure()
	}()
	var calls sync.WaitGroup
	for _, each := range loaded {
		calls.Go(func() { call(each, []byte(`"meet"`)) })
	}
	calls.Wait()
	print("each call, of 8 at a time", (<-all).since(before, sandboxes))
	print("all 8, after they have ended", measure().since(before, 1))
	for _, each := range loaded {
		each.Close()
	}
}
