//! `hljs_loaded_sandbox`: upstream's `LoadedJSSandbox`, a sandbox whose handlers take events.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyperlight_js::LoadedJSSandbox;

use crate::batch::{Batch, Events, Taken};
use crate::code::{Code, Status};
use crate::context::{Context, Since};
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::interrupt::Interrupter;
use crate::interrupt_handle::InterruptHandle;
use crate::monitor::{self, Guarded, Monitor};
use crate::refusal::{check_event, check_status, refusal, too_big};
use crate::repeater;
use crate::room;
use crate::sandbox::Sandbox;
use crate::settings::{Effective, LONGEST_TEXT};
use crate::shell::Shell;
use crate::snapshot::Snapshot;
use crate::snapshot_error;
use crate::stats::LastCall;

/// A sandbox whose handlers take events.
pub struct LoadedSandbox {
    shell: Shell<LoadedJSSandbox>,
    settings: Arc<Effective>,
    // Outside the shell: they are for those who do not wait for a running guest.
    interrupter: Arc<Interrupter>,
    last_call: LastCall,
    current_event: AtomicUsize,
}

/// How events are handled.
struct Handler<'a> {
    name: &'a str,
    gc: bool,
    /// Of each event.
    monitors: Vec<&'a Monitor>,
    context: Option<Since<'a>>,
}

impl LoadedSandbox {
    pub(crate) fn new(
        contents: LoadedJSSandbox,
        settings: Arc<Effective>,
        interrupter: Arc<Interrupter>,
    ) -> Self {
        let status = contents.status();
        let shell = Shell::new("the loaded sandbox", contents);
        shell.set_status(status.into());
        Self {
            shell,
            settings,
            interrupter,
            last_call: LastCall::default(),
            current_event: AtomicUsize::new(0),
        }
    }

    /// Runs a handler.
    fn handle_event(&self, handler: &Handler, event: &str) -> Result<String> {
        self.shell
            .with(|contents| self.handle(contents, handler, event, &[]))
    }

    /// Runs a handler with one event after the other. It only fails if it cannot begin.
    fn handle_events(&self, handler: &Handler, events: &Events) -> Result<Batch> {
        if handler.name.is_empty() {
            return Err(Error::invalid_argument("the handler name is empty"));
        }
        let mut batch = Batch::default();
        let attempt = ffi::caught(|| {
            self.shell.with(|contents| {
                if let Err(error) = check_status(contents.status()) {
                    batch.end_before(error.into());
                    return Ok(());
                }
                batch.run(events, |index, event, rest| {
                    self.current_event.store(index, Ordering::Relaxed);
                    let calls = self.last_call.get().calls;
                    let answer = self.handle(contents, handler, event, rest);
                    let stats = self.last_call.get();
                    Taken {
                        answer,
                        stats: (stats.calls != calls).then_some(stats),
                        is_last: !contents.status().is_ready(),
                    }
                });
                Ok(())
            })
        });
        match attempt {
            Ok(result) => result?,
            // The shell remembers it; what was done before is not lost.
            Err(panic) => batch.end_with(panic),
        }
        Ok(batch)
    }

    /// Takes an event to a handler, and its result back. `rest` are more monitors.
    fn handle(
        &self,
        contents: &mut LoadedJSSandbox,
        handler: &Handler,
        event: &str,
        rest: &[Monitor],
    ) -> Result<String> {
        let name = handler.name;
        let settings = self.settings.get();
        let input_buffer = settings.input_buffer;
        let note = || {
            format!(
                "handler name and event have {} bytes, the input buffer {input_buffer}",
                name.len() + event.len()
            )
        };
        let room = input_buffer.min(LONGEST_TEXT as u64);
        if !name.is_empty() && (name.len() + event.len()) as u64 > room {
            let error = Error::from(too_big(contents.status(), name, event, input_buffer));
            return Err(match error.code() {
                Code::BufferTooSmall => error.with_note(&note()),
                _ => error,
            });
        }
        if let Err(error) = settings.check_name("the handler name", name.len()) {
            check_event(contents.status(), event)?;
            return Err(error);
        }
        let monitors = || handler.monitors.iter().copied().chain(rest);
        // Upstream checks the name before it starts monitors.
        if monitors().next().is_some() && !name.is_empty() {
            monitor::prepare(contents)?;
        }
        let call = self.interrupter.begin();
        let watched = handler.context.map(|context| context.watch(&call));
        let watched = watched.transpose()?;
        let guarded: Vec<Guarded> = monitors()
            .map(|monitor| monitor.guard(call.gate()))
            .collect();
        let answer = monitor::handle_event(contents, name, event.to_owned(), handler.gc, &guarded);
        let cause = call.end();
        drop(watched);
        self.shell.set_status(contents.status().into());
        let refusal = answer.as_ref().err().and_then(|e| refusal(e, name, cause));
        if refusal.is_none() {
            self.last_call.record(contents.last_call_stats(), cause);
        }
        answer.map_err(|e| {
            let mut error = Error::from(e);
            if let Some(code) = refusal {
                error = error.with_code(code);
            }
            if error.code() == Code::BufferTooSmall {
                error = error.with_note(&note());
            }
            error.stopped_by(cause)
        })
    }
}

/// Runs a handler with an event, which is JSON, and gives its result, which is JSON. With `gc` other
/// than 0 the guest collects garbage afterwards (upstream's default). Blocks until the guest is done.
///
/// `monitors` is a list of up to 5 monitors; (NULL, 0) is none. The first that fires stops the guest:
/// `HLJS_CODE_CANCELLED`, and `hljs_error_monitor` names it. If one cannot start, the handler is not run:
/// `HLJS_CODE_MONITOR_FAILED_TO_START`. A call that was stopped, by a monitor, a context or an interrupt handle,
/// returns at most about one interrupt retry delay after the guest has stopped. No monitor stops a later call.
///
/// `context` may be NULL, and is no monitor, nor one of the 5. Cancelling it stops the guest, too, with "context" for
/// the monitor's name. If it was cancelled before, the handler is not run: `HLJS_CODE_CONTEXT_CANCELLED`.
///
/// The first monitored call of a process starts upstream's monitor threads: 2, or as many as the environment
/// variable `HYPERLIGHT_MONITOR_THREADS` says then, 1024 at most. If they cannot be started, the next call tries again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_handle_event(
    loaded: *const LoadedSandbox,
    name: *const u8,
    name_len: usize,
    event: *const u8,
    event_len: usize,
    gc: u32,
    monitors: *const *const Monitor,
    monitors_len: usize,
    context: *const Context,
    result: *mut *mut u8,
    result_len: *mut usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let name = ffi::text_without_nul(name, name_len, "the handler name")?;
        let event = ffi::text(event, event_len, "the event")?;
        let handler = Handler {
            name,
            gc: gc != 0,
            monitors: monitor::list(monitors, monitors_len, "monitors")?,
            context: ffi::peek(context).map(Context::since_now),
        };
        let result = Out::new(result, "result")?;
        let result_len = Out::new(result_len, "result_len")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        let answer = loaded.handle_event(&handler, event)?;
        ffi::give_bytes(answer.into_bytes(), result, result_len);
        Ok(())
    })
}

/// Runs a handler with one event after the other, with each as `hljs_loaded_sandbox_handle_event` does. `batch`, the
/// caller's to free, says what became of them.
///
/// `events` and `event_lens` are lists of `events_len` pointers and lengths; (NULL, NULL, 0) is none. An event is
/// checked when it is taken up. One that fails does not make this function fail: its error is in the batch, and the
/// next event follows, unless `stop_on_error` is other than 0.
///
/// No more events are taken up when the sandbox is not ready, when the context is cancelled, and when a monitor of the
/// batch has fired; if that was before, none is. The batch says so, too. This function itself fails before the first
/// event or not at all, and then writes no batch.
///
/// `monitors` watch each event, from its own beginning. `batch_monitors` watch all events together: wall-clock time
/// counts from the beginning of the batch; processor time is what this thread has used since; a trigger that was fired
/// since stays fired for the batch, even if it is reset. What fires while an event runs stops it and leaves the sandbox
/// poisoned; between two events it keeps the next from being taken up, and the sandbox stays ready. Both lists together
/// have up to 5 monitors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_handle_events(
    loaded: *const LoadedSandbox,
    name: *const u8,
    name_len: usize,
    events: *const *const u8,
    event_lens: *const usize,
    events_len: usize,
    gc: u32,
    stop_on_error: u32,
    monitors: *const *const Monitor,
    monitors_len: usize,
    batch_monitors: *const *const Monitor,
    batch_monitors_len: usize,
    context: *const Context,
    batch: *mut *mut Batch,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let name = ffi::text_without_nul(name, name_len, "the handler name")?;
        let handler = Handler {
            name,
            gc: gc != 0,
            monitors: monitor::list(monitors, monitors_len, "monitors")?,
            context: ffi::peek(context).map(Context::since_now),
        };
        let events = Events {
            events: ffi::slice(events, events_len, "events")?,
            lens: ffi::slice(event_lens, events_len, "event_lens")?,
            stop_on_error: stop_on_error != 0,
            monitors: monitor::list(batch_monitors, batch_monitors_len, "batch_monitors")?,
            context: handler.context,
        };
        monitor::check_number(handler.monitors.len() + events.monitors.len())?;
        let batch = Out::new(batch, "batch")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        batch.give(loaded.handle_events(&handler, &events)?);
        Ok(())
    })
}

/// The index of the event that `hljs_loaded_sandbox_handle_events` runs, or ran last: with this a callback knows whose it
/// is. 0 for NULL. Never waits, from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_current_event(loaded: *const LoadedSandbox) -> u64 {
    ffi::peek(loaded).map_or(0, |loaded| {
        loaded.current_event.load(Ordering::Relaxed) as u64
    })
}

/// The status as of the last finished call. Never waits, from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_status(
    loaded: *const LoadedSandbox,
    status: *mut Status,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let status = Out::new(status, "status")?;
        status.set(ffi::borrow(loaded, "loaded")?.shell.status());
        Ok(())
    })
}

/// What the last finished call took, whether it succeeded or failed. Never waits, from any thread. Each output
/// may be NULL.
///
/// `calls` is how many calls there were since the sandbox was loaded; with 0 the rest is zero. A call that
/// is refused before it enters the guest (the event is not JSON or longer than the input buffer, the
/// handler's name is empty, the context was cancelled, a monitor cannot start) does not count. `wall_clock` and `cpu_time` are nanoseconds, the latter of the thread
/// that made the call, and only known if `has_cpu_time` is 1. `terminated_by` is the name of the monitor that
/// fired, or empty; it can be set though the call succeeded, if the monitor fired as the guest finished.
/// It stays valid for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_last_call_stats(
    loaded: *const LoadedSandbox,
    calls: *mut u64,
    wall_clock: *mut u64,
    cpu_time: *mut u64,
    has_cpu_time: *mut u32,
    terminated_by: *mut *const u8,
    terminated_by_len: *mut usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(loaded, "loaded")?.last_call.get().give(
            calls,
            wall_clock,
            cpu_time,
            has_cpu_time,
            terminated_by,
            terminated_by_len,
        );
        Ok(())
    })
}

/// Makes a handle that stops the guest from any thread. Never waits, from any thread; a sandbox that was consumed
/// still gives one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_interrupt_handle(
    loaded: *const LoadedSandbox,
    handle: *mut *mut InterruptHandle,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let handle = Out::new(handle, "handle")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        repeater::start_or_fail()?;
        handle.give(InterruptHandle::new(Arc::clone(&loaded.interrupter)));
        Ok(())
    })
}

/// Reads what is in effect: what the builder was given, with the sizes of the snapshot that was restored
/// last. Each output may be NULL. Never waits, from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_get_config(
    loaded: *const LoadedSandbox,
    heap_size: *mut u64,
    scratch_size: *mut u64,
    input_buffer_size: *mut u64,
    output_buffer_size: *mut u64,
    interrupt_retry_delay: *mut u64,
    interrupt_signal_offset: *mut u8,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let settings = ffi::borrow(loaded, "loaded")?.settings.get();
        settings.give_sizes(
            heap_size,
            scratch_size,
            input_buffer_size,
            output_buffer_size,
        );
        ffi::set_if_wanted(interrupt_retry_delay, settings.retry_delay_nanoseconds());
        ffi::set_if_wanted(interrupt_signal_offset, settings.interrupt_signal_offset);
        Ok(())
    })
}

/// Takes a snapshot of the guest's memory, with handlers, modules and their state. Not while poisoned.
/// Costs a copy of that memory, mostly the heap; without a call of the guest, or a restore, in
/// between, a second one is the same snapshot again and costs nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_snapshot(
    loaded: *const LoadedSandbox,
    snapshot: *mut *mut Snapshot,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let snapshot = Out::new(snapshot, "snapshot")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        // The sizes of this moment: as soon as the shell is free, another thread may restore other ones.
        let taken = loaded.shell.with(|contents| {
            check_status(contents.status())?;
            let settings = loaded.settings.get();
            room::for_a_snapshot(settings.heap)?;
            let taken = contents
                .snapshot()
                .map_err(snapshot_error::taking_or_restoring)?;
            Ok(Snapshot::new(taken, settings))
        })?;
        snapshot.give(taken);
        Ok(())
    })
}

/// Makes the guest what it was when the snapshot was taken, in this sandbox or another one, in this
/// process or another one; also from poisoned. The handlers are then those of the snapshot, and so are
/// the sizes of heap, scratch and buffers; host functions, print function and interrupt signal stay
/// the sandbox's own. `Math.random` gives the same numbers after each restore.
///
/// The status tells what a failure did. As before: nothing changed, since the snapshot does not suit
/// (`HLJS_CODE_SNAPSHOT_MISMATCH`). Poisoned: restore again. Unrecoverable: free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_restore(
    loaded: *const LoadedSandbox,
    snapshot: *const Snapshot,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let loaded = ffi::borrow(loaded, "loaded")?;
        let snapshot = ffi::borrow(snapshot, "snapshot")?;
        let shell = &loaded.shell;
        shell.with(|contents| {
            let result = contents.restore(snapshot.upstream());
            shell.set_status(contents.status().into());
            result.map_err(snapshot_error::taking_or_restoring)?;
            loaded.settings.adopt_sizes(snapshot.settings());
            Ok(())
        })
    })
}

/// Writes a core dump of the guest, like `hljs_sandbox_generate_crashdump`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_generate_crashdump(
    loaded: *const LoadedSandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let loaded = ffi::borrow(loaded, "loaded")?;
        loaded.settings.get().check_crashdump()?;
        loaded.shell.with(|_contents| {
            #[cfg(feature = "crashdump")]
            _contents.generate_crashdump()?;
            Ok(())
        })
    })
}

/// Forgets all handlers and restores the state before they were loaded, also from poisoned, with the
/// sizes that the builder was given. Consumes the loaded sandbox, also on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_unload(
    loaded: *const LoadedSandbox,
    sandbox: *mut *mut Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sandbox = Out::new(sandbox, "sandbox")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        let contents = loaded.shell.take()?;
        let unloaded = contents.unload()?;
        loaded.settings.reset();
        sandbox.give(Sandbox::new(
            unloaded,
            Arc::clone(&loaded.settings),
            Arc::clone(&loaded.interrupter),
        ));
        Ok(())
    })
}

/// Frees a loaded sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_free(loaded: *mut LoadedSandbox) {
    ffi::free(loaded);
}
