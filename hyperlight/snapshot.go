package hyperlight

import (
	"context"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Snapshot is the state of a loaded sandbox between two calls: the guest's memory with its handlers,
// modules and their state; upstream's Snapshot. It never changes and belongs to no sandbox: any number
// of goroutines may use it, for any number of sandboxes at a time, also after the one it was taken
// from was unloaded or closed.
//
// It costs a compacted copy of the guest's memory, of which the heap is the greater part, whether the
// guest uses it or not. Sandboxes that it was restored into share that copy.
type Snapshot struct{ s *shared[capi.Snapshot] }

func newSnapshot(native capi.Snapshot) *Snapshot {
	s := &Snapshot{&shared[capi.Snapshot]{native: native, free: capi.SnapshotFree}}
	runtime.AddCleanup(s, func(s *shared[capi.Snapshot]) { forgotten.close(s.close) }, s.s)
	return s
}

// Snapshot takes a snapshot, to be given to [LoadedJSSandbox.Restore]. Until the guest runs again, or a
// snapshot is restored, the next one costs nothing: upstream remembers it. Upstream:
// LoadedJSSandbox::snapshot.
//
// ctx bounds the wait for other calls of this sandbox.
//
// # Errors
//
// [ErrPoisoned], [ErrUnrecoverable], [ErrHostResources], [ErrConsumed], [ErrClosed], [ErrReentrant];
// [ErrInvalidArgument] for a nil ctx, and the error of ctx. The sandbox is as before then.
func (s *LoadedJSSandbox) Snapshot(ctx context.Context) (*Snapshot, error) {
	s = orZero(s)
	ctx, span := s.guest.startSpan(ctx, spanSnapshot)
	snapshot, err := s.snapshot(ctx, span)
	return snapshot, span.end(err)
}

func (s *LoadedJSSandbox) snapshot(ctx context.Context, span span) (*Snapshot, error) {
	const op = "Snapshot"
	defer runtime.KeepAlive(s)
	if err := s.h.enter(ctx, op); err != nil {
		return nil, err
	}
	defer s.h.leave()
	defer span.after(s)
	native, err := capi.LoadedSandboxSnapshot(s.h.native)
	if err != nil {
		return nil, nativeError(op, err)
	}
	return newSnapshot(native), nil
}

// Restore makes the guest what it was when the snapshot was taken, also from poisoned: its handlers,
// modules and their state are those of the snapshot, whatever was loaded since. The snapshot may come
// from another sandbox, or from files. Its heap, scratch and buffer sizes come along, and are in effect
// until another snapshot is restored or the sandbox unloaded: see [LoadedJSSandbox.Config]. Host
// functions, print function and interrupt options stay those of s. Upstream: LoadedJSSandbox::restore.
//
// Math.random gives the same numbers after each restore of a snapshot: its state is in the guest's
// memory. Do not make secrets of them.
//
// The cost is that of wiping the scratch region, and of reading again what the guest touches. ctx bounds
// the wait for other calls of this sandbox.
//
// # Errors
//
// The sandbox is as it was after: [ErrInvalidArgument] for a nil snapshot or a nil ctx;
// [ErrSnapshotMismatch] when the sandbox lacks a host function that the snapshot needs;
// [ErrUnrecoverable], [ErrConsumed]; [ErrClosed], also of the snapshot; [ErrReentrant]; and the error of ctx.
//
// After any other failure ([ErrHostResources], [ErrSnapshotCorrupt] for a forged file, [ErrVMFailure])
// [LoadedJSSandbox.Status] tells: poisoned, and another snapshot may be restored; or unrecoverable.
func (s *LoadedJSSandbox) Restore(ctx context.Context, snapshot *Snapshot) error {
	s = orZero(s)
	ctx, span := s.guest.startSpan(ctx, spanRestore)
	return span.end(s.restore(ctx, snapshot, span))
}

func (s *LoadedJSSandbox) restore(ctx context.Context, snapshot *Snapshot, span span) error {
	const op = "Restore"
	if snapshot == nil {
		return invalidArgument(op, "the snapshot is nil")
	}
	native, release, err := snapshot.use(op)
	if err != nil {
		return err
	}
	defer release()
	defer runtime.KeepAlive(s)
	if err := s.h.enter(ctx, op); err != nil {
		return err
	}
	defer s.h.leave()
	defer span.after(s)
	failure := capi.LoadedSandboxRestore(s.h.native, native)
	s.readStatus()
	if failure != nil {
		return nativeError(op, failure)
	}
	config, failure := capi.LoadedSandboxGetConfig(s.h.native)
	if failure == nil {
		s.guest.reconfigure(configFrom(config))
	}
	return nativeError(op, failure)
}

// Config is what a sandbox has once this snapshot is restored into it: the sizes. The interrupt options,
// which a snapshot does not have, are zero; so is everything after Close. Upstream knows them, and does not
// tell.
func (s *Snapshot) Config() Config {
	native, release, err := s.use("Config")
	if err != nil {
		return Config{}
	}
	defer release()
	config, failure := capi.SnapshotGetConfig(native)
	if failure != nil {
		return Config{}
	}
	return configFrom(config)
}

// Size is how many bytes of the guest's memory the snapshot holds: the heap, and some MiB for program, stack and
// page tables. It is zero after Close. Upstream knows it, and does not tell.
func (s *Snapshot) Size() int64 {
	native, release, err := s.use("Size")
	if err != nil {
		return 0
	}
	defer release()
	size, _ := capi.SnapshotSize(native) // It fails for snapshots of no guest.
	return int64(size)
}

// Close frees the snapshot; if it is being restored or saved, after that. Sandboxes that it was
// restored into keep what they need of it. It never waits, returns nil, and may be called more than once.
// Without it, a snapshot is freed some time after it became unreachable. Upstream drops it.
func (s *Snapshot) Close() error {
	if s != nil && s.s != nil {
		s.s.close()
	}
	return nil
}

// use gives the native snapshot, which stays alive until release is called.
func (s *Snapshot) use(op string) (native capi.Snapshot, release func(), err error) {
	if s == nil || s.s == nil {
		return native, nil, &Error{Op: op, Code: CodeClosed, Message: "this is a zero value, or nil; LoadedJSSandbox.Snapshot and LoadSnapshot make usable ones"}
	}
	if !s.s.enter() {
		return native, nil, &Error{Op: op, Code: CodeClosed, Message: "the snapshot is closed"}
	}
	return s.s.native, func() {
		s.s.leave()
		runtime.KeepAlive(s)
	}, nil
}
