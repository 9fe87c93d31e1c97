package hyperlight

import (
	"context"
	"runtime"

	"github.com/hyperlight-go/hyperlight-js/capi"
)

// GenerateCrashdump writes a core dump of the guest, for gdb and other tools that read ELF, and changes
// nothing else: it may also be called after the guest has crashed. Upstream: JSSandbox::generate_crashdump.
//
// The file is called hl_core_<local time>.elf. It appears in the folder that the environment variable
// HYPERLIGHT_CORE_DUMP_DIR names, or, when that is not set or there is no such folder, in the one for
// temporary files (TMPDIR, or /tmp). Without [WithCrashdump](false) one appears by itself each time a
// guest crashes, as it does when it runs out of memory; not when it is stopped.
//
// A dump holds all of the guest's memory, and so the secrets that your handlers were given. Nobody
// removes it: who may crash guests may fill that folder's disk. Two dumps within a millisecond have one
// name, and the later one wins.
//
// ctx bounds the wait for another goroutine that uses s.
//
// # Errors
//
// [ErrUnsupported] when the library was built without the feature crashdump
// (`./build.sh --features crashdump`), or the sandbox was made with WithCrashdump(false);
// [ErrInternal] when the file cannot be written; [ErrConsumed], [ErrClosed], [ErrReentrant], and the error of ctx.
func (s *JSSandbox) GenerateCrashdump(ctx context.Context) error {
	s = orZero(s)
	defer runtime.KeepAlive(s)
	return generateCrashdump(ctx, s.h, capi.SandboxGenerateCrashdump)
}

// GenerateCrashdump writes a core dump of the guest, like [JSSandbox.GenerateCrashdump]. Upstream:
// LoadedJSSandbox::generate_crashdump.
//
// ctx bounds the wait for other calls of this sandbox.
//
// # Errors
//
// Those of [JSSandbox.GenerateCrashdump].
func (s *LoadedJSSandbox) GenerateCrashdump(ctx context.Context) error {
	s = orZero(s)
	defer runtime.KeepAlive(s)
	return generateCrashdump(ctx, s.h, capi.LoadedSandboxGenerateCrashdump)
}

func generateCrashdump[T any](ctx context.Context, h *handle[T], generate func(T) *capi.Error) error {
	const op = "GenerateCrashdump"
	if err := h.enter(ctx, op); err != nil {
		return err
	}
	defer h.leave()
	return nativeError(op, generate(h.native))
}
