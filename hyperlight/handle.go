package hyperlight

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// handle owns one native object. It queues its users up, so that the object serves one at a time,
// and frees the object exactly once: when it was closed or consumed and its last user has left.
type handle[T any] struct {
	native T
	free   func(T)
	guest  *guest

	// mu lets peek look at an object that another user may be about to free. Whoever frees has the queue's
	// token, too.
	mu    sync.RWMutex
	freed bool

	queue  chan struct{} // holds one token while the object is in use
	closed chan struct{} // closed by close
	state  atomic.Uint32 // a Status: ready, consumed or closed
	status atomic.Uint32 // a Status: what the guest was after the last call
}

func newHandle[T any](native T, free func(T), g *guest) *handle[T] {
	return &handle[T]{
		native: native,
		free:   free,
		guest:  g,
		queue:  make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
}

// orZero has methods answer for a nil pointer as for a zero value.
func orZero[T any](object *T) *T {
	if object == nil {
		return new(T)
	}
	return object
}

// closeWhenForgotten closes h when owner becomes unreachable: a backstop for a forgotten Close.
func closeWhenForgotten[O, T any](owner *O, h *handle[T]) {
	runtime.AddCleanup(owner, func(h *handle[T]) { forgotten.close(h.close) }, h)
}

// enter waits for its turn, and ctx bounds the wait. After a nil error the caller owns native until
// it calls leave.
func (h *handle[T]) enter(ctx context.Context, op string) error {
	if h == nil {
		return h.unusable(op)
	}
	if ctx == nil {
		return invalidArgument(op, "ctx is nil; pass context.Background()")
	}
	if ctx.Err() != nil {
		return contextError(op, ctx)
	}
	select {
	case h.queue <- struct{}{}:
	default:
		if err := h.wait(ctx, op); err != nil {
			return err
		}
	}
	if h.state.Load() != uint32(StatusReady) {
		h.leave()
		return h.unusable(op)
	}
	return nil
}

// wait returns once it is the caller's turn, unless the user of the moment waits for the caller.
func (h *handle[T]) wait(ctx context.Context, op string) error {
	if h.guest.waitsForContext(ctx) || h.guest.waitsForThis() {
		return reentrant(op)
	}
	select {
	case h.queue <- struct{}{}:
		return h.leaveIfOver(ctx, op)
	case <-h.closed:
		return h.unusable(op)
	case <-ctx.Done():
		return contextError(op, ctx)
	}
}

// leaveIfOver is for who has waited for his turn: ctx may have ended at the same time. It is the user's, and may panic.
func (h *handle[T]) leaveIfOver(ctx context.Context, op string) error {
	stays := false
	defer func() {
		if !stays {
			h.leave()
		}
	}()
	if ctx.Err() != nil {
		return contextError(op, ctx)
	}
	stays = true
	return nil
}

// leave ends what enter began.
func (h *handle[T]) leave() {
	h.freeIfOver()
	<-h.queue
	// A close that came between these two lines found the object in use and left it to us.
	h.reclaim()
}

// consume marks the object as taken by a transition. Its shell is freed when the caller leaves.
func (h *handle[T]) consume() {
	h.state.CompareAndSwap(uint32(StatusReady), uint32(StatusConsumed))
}

// wasClosed says whether close came during a transition, whose result then has no owner.
func (h *handle[T]) wasClosed() bool { return h.state.Load() == uint32(StatusClosed) }

// close makes the object unusable, and frees it, now or when its user leaves, whose call is stopped. It does
// not wait.
func (h *handle[T]) close() {
	if h != nil && h.state.CompareAndSwap(uint32(StatusReady), uint32(StatusClosed)) {
		close(h.closed)
		if !h.reclaim() {
			h.guest.close()
		}
	}
}

// reclaim frees the object if it is over. It fails if somebody uses it.
func (h *handle[T]) reclaim() bool {
	if h.state.Load() == uint32(StatusReady) {
		return true
	}
	select {
	case h.queue <- struct{}{}:
		h.freeIfOver()
		<-h.queue
		return true
	default:
		return false
	}
}

// freeIfOver is called with the token held.
func (h *handle[T]) freeIfOver() {
	if h.state.Load() == uint32(StatusReady) {
		return
	}
	h.mu.Lock()
	first := !h.freed
	h.freed = true
	h.mu.Unlock()
	if first {
		h.free(h.native)
	}
}

// peek uses the object beside its user, for what the object allows at any time. It does not wait, and says
// whether the object can be used at all.
func (h *handle[T]) peek(use func(native T)) bool {
	if h == nil {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.freed || h.state.Load() != uint32(StatusReady) {
		return false
	}
	use(h.native)
	return true
}

// unusable says why the object cannot be used.
func (h *handle[T]) unusable(op string) error {
	if h == nil {
		return &Error{Op: op, Code: CodeClosed, Message: "this is a zero value, or nil; New and its successors make usable ones"}
	}
	if h.state.Load() == uint32(StatusConsumed) {
		return &Error{Op: op, Code: CodeConsumed, Message: "the sandbox has already been consumed"}
	}
	return &Error{Op: op, Code: CodeClosed, Message: "the sandbox is closed"}
}

// currentStatus never waits.
func (h *handle[T]) currentStatus() Status {
	if h == nil {
		return StatusClosed
	}
	if state := Status(h.state.Load()); state != StatusReady {
		return state
	}
	return Status(h.status.Load())
}

// forgotten closes what was not closed. Cleanups run one after the other on a goroutine of the
// runtime, and freeing a micro-VM takes milliseconds, so they only hand over.
var forgotten reaper

type reaper struct {
	mu      sync.Mutex
	pending []func()
	running bool
}

func (r *reaper) close(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, f)
	if !r.running {
		r.running = true
		go r.run()
	}
}

func (r *reaper) run() {
	for {
		r.mu.Lock()
		if len(r.pending) == 0 {
			r.running = false
			r.mu.Unlock()
			return
		}
		batch := r.pending
		r.pending = nil
		r.mu.Unlock()
		for _, f := range batch {
			f()
		}
	}
}
