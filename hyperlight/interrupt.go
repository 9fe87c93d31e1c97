package hyperlight

import (
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// InterruptHandle stops the guest of one micro-VM. It may be used from any goroutine, and from several at a
// time, for as long as you like: it stays valid when the sandbox is unloaded and loaded again, and when it
// is closed. It needs no Close. Upstream: InterruptHandle.
type InterruptHandle struct {
	native capi.InterruptHandle
	guest  *guest
}

// InterruptHandle makes a handle that stops the guest. It never waits for a running guest. Upstream:
// LoadedJSSandbox::interrupt_handle.
//
// # Errors
//
// [ErrConsumed], [ErrClosed].
func (s *LoadedJSSandbox) InterruptHandle() (*InterruptHandle, error) {
	const op = "InterruptHandle"
	s = orZero(s)
	var native capi.InterruptHandle
	var err *capi.Error
	found := s.h.peek(func(loaded capi.LoadedSandbox) {
		native, err = capi.LoadedSandboxInterruptHandle(loaded)
	})
	runtime.KeepAlive(s)
	switch {
	case !found:
		return nil, s.h.unusable(op)
	case err != nil:
		return nil, nativeError(op, err)
	}
	i := &InterruptHandle{native, s.guest}
	runtime.AddCleanup(i, capi.InterruptHandleFree, native)
	return i, nil
}

// Kill stops the call that runs: that call returns [ErrCancelled], with "interrupt" as the error's Monitor,
// and the sandbox is poisoned. If none runs, Kill does nothing, and later calls are not affected. A
// [JSSandbox.Load] of a sandbox that was unloaded before is stopped too, which consumes that sandbox. Contexts of
// host functions go on: where that matters, cancel the context of the call instead.
//
// The result is upstream's: whether a signal was sent to the guest's thread. It is false while the guest
// waits for Go, in a host function or a print function, and the guest is stopped when that returns.
//
// Otherwise Kill waits until the guest has stopped, which takes about as long as [WithInterruptRetryDelay]
// says. Upstream: InterruptHandle::kill, which may miss a call that has only just begun.
func (i *InterruptHandle) Kill() bool {
	span := i.startSpan()
	sent := i.ask(capi.InterruptHandleKill)
	span.endKill(sent)
	return sent
}

// Dropped says whether the micro-VM is gone: with a sandbox that was closed, once its last call has ended, or
// with one that a transition has lost. It never waits. Upstream: InterruptHandle::dropped.
func (i *InterruptHandle) Dropped() bool { return i.ask(capi.InterruptHandleDropped) }

// ask cannot fail: the handle is valid. A zero value has no micro-VM.
func (i *InterruptHandle) ask(what func(capi.InterruptHandle) (bool, *capi.Error)) bool {
	if i == nil || i.native == (capi.InterruptHandle{}) {
		return false
	}
	defer runtime.KeepAlive(i)
	answer, _ := what(i.native)
	return answer
}
