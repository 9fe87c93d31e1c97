package main

import (
	"context"
	"net/http"
	"time"

	"github.com/hyperlight-go/hyperlight-js/hyperlight"
)

// sandbox is what one visitor has: a micro-VM with the code that was loaded last, and a snapshot. Its methods are for
// one goroutine at a time.
type sandbox struct {
	store *store
	print func(text string) // where the guest of the current run prints

	loaded *hyperlight.LoadedJSSandbox // nil: there is none
	code   code
	saved  *savedState
}

// code is what a guest has loaded, and how often it ran.
type code struct {
	source string
	heap   int // MiB
	runs   int
}

// savedState is a snapshot, and what the guest was then.
type savedState struct {
	snapshot *hyperlight.Snapshot
	code     code
}

func newSandbox() *sandbox { return &sandbox{store: newStore(), print: func(string) {}} }

// task is what a visitor wants to run.
type task struct {
	Source string `json:"source"`
	Event  string `json:"event"`
	Limits limits `json:"limits"`
}

// outcome is what became of it.
type outcome struct {
	result     []byte
	stats      hyperlight.ExecutionStats
	boot, load time.Duration // 0: it was there already
}

// run calls the handler of the task's source with its event. The guest keeps its state from run to run, as long as
// the source and the heap stay the same and nothing stopped it. phase hears what is being done.
func (s *sandbox) run(ctx context.Context, t task, phase func(string)) (o outcome, err error) {
	if err := s.prepare(ctx, t, &o, phase); err != nil {
		return o, err
	}
	phase("running")
	s.code.runs++
	opts := append(t.Limits.onCall(), hyperlight.WithStats(&o.stats))
	o.result, err = s.loaded.HandleEvent(ctx, handlerName, []byte(t.Event), opts...)
	return o, err
}

// prepare loads the source, unless it is loaded.
func (s *sandbox) prepare(ctx context.Context, t task, o *outcome, phase func(string)) error {
	if s.loaded != nil && s.loaded.Status().IsReady() && s.code.source == t.Source && s.code.heap == t.Limits.Heap {
		return nil
	}
	runtime, err := s.runtime(ctx, t.Limits.Heap, o, phase)
	if err != nil {
		return err
	}
	phase("loading")
	began := time.Now()
	s.loaded, err = load(ctx, runtime, t.Source, t.Limits.wallClock())
	o.load = time.Since(began)
	s.code = code{source: t.Source, heap: t.Limits.Heap}
	return err
}

// runtime is a sandbox without code: the one that is there, emptied, or a new one.
func (s *sandbox) runtime(ctx context.Context, heap int, o *outcome, phase func(string)) (*hyperlight.JSSandbox, error) {
	if s.loaded != nil && !s.loaded.Status().IsUnrecoverable() {
		emptied, err := s.loaded.Unload(ctx)
		switch {
		case err == nil && emptied.Config().HeapSize == heap<<20:
			s.loaded = nil
			return emptied, nil
		case err == nil:
			_ = emptied.Close()
		case ctx.Err() != nil:
			return nil, err
		}
	}
	s.drop()
	phase("booting")
	began := time.Now()
	defer func() { o.boot = time.Since(began) }()
	return boot(ctx, heap, s.store, func(text string) { s.print(text) })
}

// What a visitor is told who asks for what is not there.
var (
	refuseNothingLoaded = refusal{http.StatusConflict, "nothing is loaded: run your code first", 0}
	refuseNoSnapshot    = refusal{http.StatusConflict, "there is no snapshot: take one first", 0}
)

// takeSnapshot keeps the state of the guest, in place of the snapshot before. It gives its size in bytes.
func (s *sandbox) takeSnapshot(ctx context.Context) (int64, error) {
	if s.loaded == nil {
		return 0, refuseNothingLoaded
	}
	snapshot, err := s.loaded.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	s.forget()
	s.saved = &savedState{snapshot, s.code}
	return snapshot.Size(), nil
}

// restore makes the guest what it was when the snapshot was taken, whatever happened to it since.
func (s *sandbox) restore(ctx context.Context) error {
	if s.saved == nil {
		return refuseNoSnapshot
	}
	if s.loaded == nil || s.loaded.Status().IsUnrecoverable() {
		// A snapshot is restored into a loaded sandbox, with whatever code.
		s.drop()
		runtime, err := boot(ctx, s.saved.code.heap, s.store, func(text string) { s.print(text) })
		if err != nil {
			return err
		}
		if s.loaded, err = load(ctx, runtime, "function handler() {}", time.Minute); err != nil {
			return err
		}
	}
	if err := s.loaded.Restore(ctx, s.saved.snapshot); err != nil {
		return err
	}
	s.code = s.saved.code
	return nil
}

// state is what the page shows of it.
type state struct {
	Status   string `json:"status"` // "none", or the sandbox's
	Runs     int    `json:"runs"`   // since the code was loaded
	Snapshot bool   `json:"snapshot"`
	// SnapshotRuns is how often the code had run when the snapshot was taken.
	SnapshotRuns int `json:"snapshotRuns"`
}

func (s *sandbox) state() state {
	now := state{Status: "none"}
	if s.loaded != nil {
		now.Status, now.Runs = s.loaded.Status().String(), s.code.runs
	}
	if s.saved != nil {
		now.Snapshot, now.SnapshotRuns = true, s.saved.code.runs
	}
	return now
}

// close frees everything. Nobody uses the sandbox any more.
func (s *sandbox) close() {
	s.drop()
	s.forget()
}

func (s *sandbox) drop() {
	if s.loaded != nil {
		_ = s.loaded.Close()
		s.loaded, s.code = nil, code{}
	}
}

func (s *sandbox) forget() {
	if s.saved != nil {
		_ = s.saved.snapshot.Close()
		s.saved = nil
	}
}
