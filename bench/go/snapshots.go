package main

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hyperlight-go/hyperlight-js/bench/workload"
	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

const tag = "bench"

// snapshots are taken, restored, saved to files and loaded from them.
func snapshots() {
	event := []byte(workload.Event)
	workload.Measure("snapshot", "ns", func() float64 {
		loaded := start(workload.Echo)
		defer loaded.Close()
		return workload.Part(1, 5, func() time.Duration {
			call(loaded, event) // Without it, the snapshot would be the one before.
			begin := time.Now()
			check(snapshot(loaded).Close())
			return time.Since(begin)
		})
	})
	workload.Measure("restore", "ns", func() float64 {
		loaded := start(workload.Echo)
		defer loaded.Close()
		taken := snapshot(loaded)
		return workload.Part(5, 30, func() time.Duration {
			call(loaded, event)
			begin := time.Now()
			check(loaded.Restore(ctx, taken))
			return time.Since(begin)
		})
	})
	workload.Measure("call_and_restore", "ns", func() float64 {
		loaded := start(workload.Echo)
		defer loaded.Close()
		taken := snapshot(loaded)
		return workload.Each(5, 100, func() {
			call(loaded, event)
			check(loaded.Restore(ctx, taken))
		})
	})
	folder, err := os.MkdirTemp("", "bench-go-")
	check(err)
	defer os.RemoveAll(folder)
	files(folder)
}

func files(folder string) {
	event := []byte(workload.Event)
	workload.Measure("snapshot_save", "ns", func() float64 {
		loaded := start(workload.Library())
		defer loaded.Close()
		count := 0
		return workload.Part(1, 2, func() time.Duration {
			// After a call it is another snapshot, and in a new folder nothing of it is there yet.
			call(loaded, event)
			taken := snapshot(loaded)
			count++
			target := filepath.Join(folder, strconv.Itoa(count))
			begin := time.Now()
			_, err := taken.Save(target, tag)
			elapsed := time.Since(begin)
			check(err)
			check(taken.Close())
			check(os.RemoveAll(target))
			return elapsed
		})
	})
	saved := filepath.Join(folder, "library")
	read := func(opts ...hyperlight.LoadOption) *hyperlight.Snapshot {
		taken, err := hyperlight.LoadSnapshot(saved, tag, opts...)
		check(err)
		return taken
	}
	save := func() {
		if _, err := os.Stat(saved); err == nil {
			return
		}
		loaded := start(workload.Library())
		defer loaded.Close()
		_, err := snapshot(loaded).Save(saved, tag)
		check(err)
	}
	for _, each := range []struct {
		name             string
		loads, callsToo  int
		opts             []hyperlight.LoadOption
		loadAndCallsName string
	}{
		{"snapshot_load_verified", 2, 2, nil, "snapshot_file_verified"},
		{"snapshot_load_unverified", 10, 5, []hyperlight.LoadOption{hyperlight.WithoutVerification()}, "snapshot_file"},
	} {
		workload.Measure(each.name, "ns", func() float64 {
			save()
			return workload.Each(1, each.loads, func() { check(read(each.opts...).Close()) })
		})
		workload.Measure(each.loadAndCallsName, "ns", func() float64 {
			save()
			booted := start(workload.Echo)
			defer booted.Close()
			return workload.Each(1, each.callsToo, func() {
				taken := read(each.opts...)
				check(booted.Restore(ctx, taken))
				check(taken.Close())
				call(booted, event)
			})
		})
	}
}
