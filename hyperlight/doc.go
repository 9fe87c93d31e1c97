// Package hyperlight runs JavaScript handlers in Hyperlight micro-VMs. A guest has no kernel and no way out
// but what it is handed; a call takes tens of microseconds.
//
// It binds upstream's Rust crate hyperlight-js 0.4.0: its types, names, limits and error texts are
// upstream's, so that upstream's documentation holds here, and the comment of each symbol says what it is
// called there.
//
// # Life of a sandbox
//
//	New ─▶ ProtoJSSandbox ─LoadRuntime▶ JSSandbox ─Load▶ LoadedJSSandbox ─Unload▶ JSSandbox ...
//
// [New] reserves memory; host functions and files to import are registered before
// [ProtoJSSandbox.LoadRuntime] boots the micro-VM, which is the expensive step. [JSSandbox.AddHandler] and
// [JSSandbox.AddModule] add your code, [JSSandbox.Load] compiles it, and [LoadedJSSandbox.HandleEvent] runs
// it as often as you like. [LoadedJSSandbox.Unload] forgets it again.
//
// Each arrow consumes its source, also when the guest or the hypervisor fails: the source then answers
// [ErrConsumed]. It does not when it refuses to begin, for a context that has ended, say. All sandboxes have
// Close, which stops the guest, never waits, and is safe at any time and as often as you like; one that is
// forgotten without Close is freed some time after it became unreachable.
//
// To boot costs some thirty times what restoring a snapshot costs, so keep sandboxes, and restore them; or have a
// [Pool] do it. [Run] goes all the way for a single call.
//
// # Handlers and modules
//
// A handler is an ES module with a function handler(event), made by [Script], [ScriptFile] or [ScriptFS]. It
// may import modules that were added under a namespace ("user:name"); files of any [io/fs.FS] that
// [ProtoJSSandbox.SetModuleLoader] was given, found as Node.js finds them; the guest's own io, crypto,
// console and require; and host functions. An event is JSON, and so is the result; a handler may be async.
// There are no timers, no network and no files.
//
// [Call] is HandleEvent for Go values, by the rules of encoding/json. [LoadedJSSandbox.HandleEvents] runs a handler
// for many events in one crossing to the guest's side, each with a result or an error of its own.
//
// # Host functions
//
// A guest reaches nothing but the Go functions that were registered for it. [ProtoJSSandbox.Register] takes
// any Go function whose parameters and results have JSON; its comment has a table of how values travel:
// numbers keep their digits, []byte is a Uint8Array, at any depth, an error is an exception that JavaScript
// can catch. [ProtoJSSandbox.RegisterRaw] is for those who want to do that themselves. They are what a hostile
// guest can attack: docs/security.md has a checklist.
//
// # Printing
//
// What a guest prints (console.log, print) is dropped, unless [WithPrint] or [WithPrintFunc] says where it
// goes, for a sandbox or for one call, up to [WithPrintLimit].
//
// # Limits
//
// A guest that loops for ever is stopped when the context of its call ends, also while [JSSandbox.Load] runs its
// top-level code. [WithMonitors] adds limits of a call: on the time that it may take ([WallClock]), on its processor
// time ([CPUTime]), or a [Trigger] that your program fires for many calls. From elsewhere an [InterruptHandle] stops
// whatever call runs. A guest is stopped for certain, and never is a later call stopped in its place. The
// sandbox is poisoned then, or, by Load, consumed. The error, [ErrCancelled], names what stopped the guest first.
//
// [WithStats] and [LoadedJSSandbox.LastCallStats] tell what a call took. docs/limits.md says which limits to choose.
//
// # Contexts
//
// Whatever may wait takes a context first. One that has ended before runs nothing, poisons nothing and consumes
// nothing; one that ends meanwhile ends the wait for a sandbox that others use, or stops the guest. The error matches
// the context's error and its cause, and [ErrCancelled] only if the guest was stopped. Nothing stops
// [ProtoJSSandbox.LoadRuntime], snapshots and restores in the middle: they end by themselves.
//
// Host functions get a context that was made from it, and ends with the call, too. What a function returns when its
// context has ended changes nothing: the guest does not go on. A call that a host function makes to another sandbox
// with its context is part of the same chain, whose end stops all of them.
//
// A panic of a context's own methods, or of any other code that the caller hands in and that runs before or after the
// guest, reaches the caller; in a pool's boot it is [ErrTemplatePanicked]. Nothing is lost, and if the guest had run,
// the sandbox's status says what it is. But a context with a Done channel of its own is asked for Err by package context,
// on a goroutine of its own, where a panic ends the process.
//
// # Memory
//
// A guest's memory is a read-only image, which holds heap, stack and runtime, and a scratch region. The first
// write to a page of the image copies that page to scratch, and a page of scratch is never given back: not
// when JavaScript's collector frees what is on it, and not by taking a snapshot, but only by restoring one,
// or by unloading. So scratch, less the buffers and the page tables, bounds what a guest can write to until
// then, and not heap. To be able to fill its heap a guest needs that much scratch, both buffers, and 2 MiB more
// ([WithHeapSize], [WithScratchSize]). docs/memory.md has what each size costs.
//
// A guest that runs out of either, or recurses too deeply, does not get an exception: it aborts
// ([ErrOutOfMemory]), which poisons the sandbox. The host is not affected.
//
// All that goes in and out passes through two buffers, which lie in scratch. The input buffer
// ([WithInputBufferSize]) bounds events, scripts, modules, and results of host functions; the output buffer
// ([WithOutputBufferSize]) bounds results, and arguments of host functions.
//
// # Snapshots
//
// A [Snapshot] is the state of a loaded sandbox between two calls. To restore one
// ([LoadedJSSandbox.Restore]) takes a fraction of the time that a new sandbox takes, recovers a poisoned one,
// and makes sure that what one caller left in the guest is not there for the next; but Math.random begins
// anew, too. It can be restored into other sandboxes, and saved to files ([Snapshot.Save], [LoadSnapshot]),
// which hold all of the guest's memory and are to be trusted like a program.
//
// # Pools
//
// A [Pool] keeps sandboxes ready that are made from one [Template] and share the memory of one snapshot. It restores
// them after each call unless its policy says otherwise ([PoolPolicy]), recovers poisoned ones, and replaces lost ones
// in the background. Callers wait in order, no more of them than [PoolQueue] allows. [PoolTenants] gives each
// tenant code of its own; whatever the policy, nothing of one is there for another.
//
// # Errors
//
// Every error is an [*Error], with a [Code] and upstream's text, and for what JavaScript threw a [*JSException]:
// message, stack, the frames of that with their positions, or what it was that is no Error. [errors.Is] tells the
// kinds apart by the sentinels of this package, and finds the error of the context, or of the host function, that
// is behind it. The comment of each method says what its errors leave behind: a sandbox that is ready, poisoned,
// consumed or, rarely, unrecoverable ([Status]). A poisoned one takes no calls until it is restored or unloaded. docs/errors.md
// has a table of all of them.
//
// # Spans, metrics and logs
//
// [WithTracerProvider] has OpenTelemetry spans made of what happens to a sandbox, from New to Unload; those of host
// functions are below the call that they answer, and their ctx takes the trace further.
//
// [EnableMetrics], before the first New, makes upstream's metrics readable ([Metrics]), and the module
// hyperlight/otelmetrics exports them through OpenTelemetry's SDK; [ForwardLogs] sends what upstream logs to a
// [log/slog.Logger]. Both are for the whole process. All three are off by default, and cost nothing then.
// [JSSandbox.GenerateCrashdump] writes a guest's memory to a file, if the library was built for it.
//
// # Goroutines
//
// All methods may be called from any goroutine. Calls of one sandbox take turns, first come, first served;
// different sandboxes run in parallel, each on an operating system thread of its own while it runs. Before Linux
// 6.13, KVM has a guest that changes threads wait for some 12 ms, and goroutines change threads all the time: there, a
// sandbox that turns up on a third thread is given one for as long as it lives.
//
// Host functions, print functions and file systems run on coroutines, like those of [iter.Pull], on the thread of their
// guest, which waits. They may use other sandboxes, whose functions may use others again. They may end by a panic or
// [runtime.Goexit], but must not leave their goroutine locked to its thread; [WithHostGoroutines] is for those who do.
//
// They must not use the sandbox that waits for them: it would wait for itself. Its methods return
// [ErrReentrant] instead, for what has the context of a host function, however far down a chain of sandboxes,
// and for the very goroutine that runs the function. What a function hands to a goroutine that does not have
// that context is not found out, nor a chain of sandboxes that does not pass it on, nor two sandboxes whose
// functions call each other at the same time: such calls wait until their own contexts end.
//
// # Library and platforms
//
// linux/amd64 with glibc, and KVM or MSHV. Elsewhere the package compiles and New returns [ErrUnsupported]. A
// program that uses it is dynamically linked, also with CGO_ENABLED=0. The native library is loaded by the
// first New: [Library] says from where, and what it can do. [Probe], when your program starts, finds out
// whether all of it works.
//
// # Environment variables
//
//   - HYPERLIGHT_JS_LIBRARY: the native library to load, and HYPERLIGHT_JS_CACHE: the folder in which
//     build.sh keeps it ([Library]).
//   - HYPERLIGHT_MONITOR_THREADS: how many threads upstream's monitors have; 2 if it is not set, and
//     1,024 at most. It is read by the first call with monitors, and again by the next one if that fails.
//   - HYPERLIGHT_CORE_DUMP_DIR: where core dumps go ([JSSandbox.GenerateCrashdump]).
//   - RUST_LOG: what guests log ([ForwardLogs]). It is read by each LoadRuntime.
//   - NODE_PATH: folders of the module loader's file system where packages are looked for last
//     ([ProtoJSSandbox.SetModuleLoader]).
package hyperlight
