package hyperlight

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// How long a pool waits before it tries again to boot a sandbox.
const (
	firstBootPause   = 10 * time.Millisecond
	longestBootPause = 5 * time.Second
)

// start boots all sandboxes. When it fails, what is still being booted goes away once it is there.
func (p *poolCore) start(ctx context.Context, progress func(ready, size int)) error {
	booted := make(chan error)
	go func() { p.tell(booted, p.bootFirst(ctx)) }()
	for ready := range p.size {
		select {
		case err := <-booted:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return contextError("NewPool", ctx)
		}
		if ready == 0 {
			p.bootOthers(ctx, booted)
		}
		if progress != nil {
			progress(ready+1, p.size)
		}
	}
	return nil
}

// tell says how a boot ended, unless start does not listen any more.
func (p *poolCore) tell(booted chan<- error, err error) {
	select {
	case booted <- err:
	case <-p.stopped:
	}
}

// bootFirst boots the sandbox that all others are restored to.
func (p *poolCore) bootFirst(ctx context.Context) error {
	add := p.template.Add
	if add == nil {
		add = addNothing
	}
	return p.settleFirst(p.fromTemplate(ctx, add, func(loaded *LoadedJSSandbox) error {
		return p.takeBase(context.WithoutCancel(ctx), loaded)
	}))
}

// takeBase takes the snapshot that is the pool's, and has the sandbox share its memory.
func (p *poolCore) takeBase(ctx context.Context, loaded *LoadedJSSandbox) error {
	snapshot, err := loaded.Snapshot(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.base.snapshot = snapshot
	if p.closing {
		p.garbage = append(p.garbage, snapshot)
	}
	p.unlock()
	return loaded.Restore(ctx, snapshot)
}

// bootOthers boots as many at a time as there are processors.
func (p *poolCore) bootOthers(ctx context.Context, booted chan<- error) {
	var begun atomic.Int64
	others := int64(p.size - 1)
	for range min(others, int64(runtime.GOMAXPROCS(0))) {
		go func() {
			for begun.Add(1) <= others {
				loaded, err := p.boot(ctx)
				p.tell(booted, p.settleFirst(loaded, err))
			}
		}()
	}
}

// boot makes a sandbox that is what the template made the first, without running the code of that again.
func (p *poolCore) boot(ctx context.Context) (*LoadedJSSandbox, error) {
	select {
	case <-p.stopped:
		return nil, p.closedError("NewPool")
	default:
	}
	return p.fromTemplate(ctx, addNothing, func(loaded *LoadedJSSandbox) error {
		return loaded.Restore(ctx, p.base.snapshot)
	})
}

// fromTemplate makes a sandbox, and finishes it. The template's functions, and ctx, which may be the user's code, too, run
// guarded: there is nobody to whom they could panic.
func (p *poolCore) fromTemplate(ctx context.Context, add func(*JSSandbox) error, finish func(*LoadedJSSandbox) error) (loaded *LoadedJSSandbox, err error) {
	if panicked := capi.GuardedApart(func() {
		if loaded, err = p.template.load(ctx, add); err == nil {
			err = finish(loaded)
		}
	}); panicked != nil {
		message := fmt.Sprintf("a function of the template, or the context, panicked: %v\n%s", panicked.Value, panicked.Stack)
		cause, _ := panicked.Value.(error)
		return loaded, &Error{Op: "NewPool", Code: CodeTemplatePanicked, Message: message, cause: cause}
	}
	return loaded, err
}

// settleFirst is settle while the pool starts: one failure is its end.
func (p *poolCore) settleFirst(loaded *LoadedJSSandbox, err error) error {
	if !p.settle(loaded, err) {
		p.mu.Lock()
		p.booting--
		p.unlock()
	}
	return err
}

// reboot boots a sandbox in place of another one, as often as that takes.
func (p *poolCore) reboot() {
	for pause := firstBootPause; !p.settle(p.boot(context.Background())); pause = min(2*pause, longestBootPause) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-p.stopped:
			timer.Stop()
		}
	}
}

// settle puts a sandbox that was booted into its place. It says whether that is the end of it; if not, there has to be
// another attempt.
func (p *poolCore) settle(loaded *LoadedJSSandbox, err error) bool {
	p.mu.Lock()
	defer p.unlock()
	if loaded != nil && (err != nil || p.closing) {
		p.garbage = append(p.garbage, loaded)
	}
	if p.failing = err; err != nil && !p.closing {
		p.stats.FailedBoots++
		p.stats.LastBootFailure = err
		return false
	}
	p.booting--
	if !p.closing {
		m := &member{loaded: loaded, image: p.base, fresh: true}
		p.members[m] = struct{}{}
		p.put(m)
	}
	return true
}
