// Package hyperlight runs JavaScript handlers in Hyperlight micro-VMs. A guest has no kernel and no way
// out; a call takes tens of microseconds.
//
// It binds upstream's Rust crate hyperlight-js: its types, names, limits and error texts are
// upstream's, so that upstream's documentation holds here. The life of a sandbox:
//
//	New ─▶ ProtoJSSandbox ─LoadRuntime▶ JSSandbox ─Load▶ LoadedJSSandbox ─Unload▶ JSSandbox ...
//
// Each arrow consumes its source, also when the guest or the hypervisor fails: the source then answers
// [ErrConsumed]. It does not when it refuses to begin, for a context that has ended, say. All types
// have Close, which is safe at any time and as often as you like; a sandbox that is forgotten
// without Close is freed some time after it became unreachable.
//
// # Host functions
//
// A guest reaches nothing but the Go functions that were registered for it: [ProtoJSSandbox.Register], where
// there is also a table of how values travel.
//
// # Memory
//
// A guest's memory is a read-only image, which holds heap, stack and runtime, and a scratch region. The
// first write to a page of the image copies that page to scratch, and only restoring a snapshot or
// unloading gives scratch back. So scratch, not heap, bounds what a guest can write to. A guest that
// runs out of either does not get an exception: it aborts, which poisons the sandbox.
//
// # Snapshots
//
// A [Snapshot] is the state of a loaded sandbox between two calls. To restore one takes a fraction of
// the time that a new sandbox takes, recovers a poisoned one, and makes sure that what one caller
// left in the guest is not there for the next. It can be restored into other sandboxes, and saved to
// files.
//
// # Limits
//
// A guest that loops for ever is stopped by a monitor ([WithMonitors]): a limit on the time that a call may
// take, or on its processor time, or a [Trigger]; or from elsewhere, by an [InterruptHandle]. It is stopped for
// certain, and never is a later call stopped in its place. The sandbox is poisoned then.
//
// # Goroutines
//
// All methods may be called from any goroutine. Calls of one sandbox take turns; different sandboxes
// run in parallel, each on an operating system thread of its own while it runs.
//
// # Telemetry
//
// [EnableMetrics], before the first New, makes upstream's metrics readable; [ForwardLogs] sends what
// upstream logs to a [log/slog.Logger]. Both are for the whole process, off by default, and cost nothing then.
//
// # Platforms
//
// linux/amd64 with glibc, and KVM or MSHV. Elsewhere the package compiles and New returns
// [ErrUnsupported]. A program that uses it is dynamically linked, also with CGO_ENABLED=0.
package hyperlight
