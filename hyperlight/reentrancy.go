package hyperlight

import (
	"context"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// Nobody may wait for a sandbox that waits for him. Two things tell that a host function would: the context that
// it was given and, should it use another one, the goroutine that it runs on.

// waitsForContext says whether the guest's call waits for a host function that got ctx, or for one further up: a
// host function may call another sandbox, whose host function calls the first.
func (g *guest) waitsForContext(ctx context.Context) bool {
	if g == nil {
		return false
	}
	running := g.call.Load()
	if running == nil {
		return false
	}
	for call := callOf(ctx); call != nil; call = callOf(call.caller) {
		if call == running {
			return true
		}
	}
	return false
}

// waitsForThis says whether the guest waits for this very goroutine, to which a user's function was given.
func (g *guest) waitsForThis() bool { return g != nil && g.user.Load() == capi.Goroutine() }
