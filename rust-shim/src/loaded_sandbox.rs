//! `hljs_loaded_sandbox`: upstream's `LoadedJSSandbox`, a sandbox whose handlers take events.

use std::sync::Arc;
use std::time::Duration;

use flatbuffers::FlatBufferBuilder;
use hyperlight_common::flatbuffer_wrappers::function_call::{FunctionCall, FunctionCallType};
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use hyperlight_host::mem::shared_mem::{SharedMemoryError, StackError};
use hyperlight_js::{HyperlightError, LoadedJSSandbox, SandboxStatus};
use serde::de::IgnoredAny;

use crate::code::{Code, Status};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::interrupt::{Cause, Interrupter};
use crate::interrupt_handle::InterruptHandle;
use crate::monitor::{self, Guarded, Monitor};
use crate::repeater;
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
        }
    }

    /// Runs a handler.
    fn handle_event(
        &self,
        name: &str,
        event: &str,
        gc: bool,
        monitors: &[&Monitor],
        context: Option<&Context>,
    ) -> Result<String> {
        self.shell.with(|contents| {
            let input_buffer = self.settings.get().input_buffer;
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
            // Upstream checks the name before it starts monitors.
            if !monitors.is_empty() && !name.is_empty() {
                monitor::prepare(contents)?;
            }
            let call = self.interrupter.begin();
            let watched = context.map(|context| context.watch(&call)).transpose()?;
            let guarded: Vec<Guarded> = monitors
                .iter()
                .map(|monitor| monitor.guard(call.gate()))
                .collect();
            let answer = monitor::handle_event(contents, name, event.to_owned(), gc, &guarded);
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
        })
    }
}

/// How upstream refuses an event that is longer than the input buffer. It would do so itself, but only after it
/// has made a tree of it, which takes 25 times its size of memory, and no monitor ends that.
fn too_big(status: SandboxStatus, name: &str, event: &str, input_buffer: u64) -> HyperlightError {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(event) {
        return HyperlightError::JsonConversionFailure(error);
    }
    match status {
        SandboxStatus::Ready => {}
        SandboxStatus::Poisoned => return HyperlightError::PoisonedSandbox,
        SandboxStatus::Unrecoverable => return HyperlightError::UnrecoverableSandbox,
    }
    let room = usize::try_from(input_buffer).unwrap_or(usize::MAX) - size_of::<u64>();
    let texts = name.len() + event.len();
    if texts > LONGEST_TEXT {
        return SharedMemoryError::Stack(StackError::BufferFullError(texts, room)).into();
    }
    let parameters = vec![
        ParameterValue::String(name.to_owned()),
        ParameterValue::String(event.to_owned()),
        ParameterValue::Bool(true),
    ];
    let call = FunctionCall::new(
        "RunHandler".to_owned(),
        Some(parameters),
        FunctionCallType::Guest,
        ReturnType::String,
    );
    let mut builder = FlatBufferBuilder::with_capacity(texts + 512);
    let needed = call.encode(&mut builder).len() + size_of::<u64>();
    SharedMemoryError::Stack(StackError::BufferFullError(needed, room)).into()
}

/// Why upstream refused a call before it entered the guest, if it did.
fn refusal(error: &HyperlightError, name: &str, cause: Option<Cause>) -> Option<Code> {
    match error {
        HyperlightError::JsonConversionFailure(_) => Some(Code::InvalidJson),
        // A fired trigger is a monitor that does not start; an interrupt may have come just before.
        error if monitor::is_start_failure(error) => Some(match cause {
            Some(_) => Code::Cancelled,
            None => Code::MonitorFailedToStart,
        }),
        // Upstream has no variant for this one.
        HyperlightError::Error(_) if name.is_empty() => Some(Code::InvalidArgument),
        _ => None,
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
/// variable `HYPERLIGHT_MONITOR_THREADS` says then.
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
        let monitors = monitor::list(monitors, monitors_len)?;
        let result = Out::new(result, "result")?;
        let result_len = Out::new(result_len, "result_len")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        let answer = loaded.handle_event(name, event, gc != 0, &monitors, ffi::peek(context))?;
        ffi::give_bytes(answer.into_bytes(), result, result_len);
        Ok(())
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
        let stats = ffi::borrow(loaded, "loaded")?.last_call.get();
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        ffi::set_if_wanted(calls, stats.calls);
        ffi::set_if_wanted(wall_clock, nanoseconds(stats.wall_clock));
        ffi::set_if_wanted(cpu_time, stats.cpu_time.map_or(0, nanoseconds));
        ffi::set_if_wanted(has_cpu_time, stats.cpu_time.is_some().into());
        let name = stats.terminated_by.unwrap_or("");
        ffi::lend(name.as_bytes(), terminated_by, terminated_by_len);
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
            let taken = contents
                .snapshot()
                .map_err(snapshot_error::taking_or_restoring)?;
            Ok(Snapshot::new(taken, loaded.settings.get()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_big_is_refused_in_upstreams_order() {
        for (status, event, code) in [
            (SandboxStatus::Ready, "[1,2,3]", Code::BufferTooSmall),
            (SandboxStatus::Ready, "[1,2,3", Code::InvalidJson),
            (SandboxStatus::Poisoned, "[1,2,3", Code::InvalidJson),
            (SandboxStatus::Poisoned, "[1,2,3]", Code::Poisoned),
            (SandboxStatus::Unrecoverable, "[1,2,3]", Code::Unrecoverable),
        ] {
            let error = Error::from(too_big(status, "h", event, 8192));
            assert_eq!(error.code(), code, "{status:?} {event}");
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let failed = HyperlightError::Error("Execution monitor failed to start: no clock".into());
        let fired = HyperlightError::Error(
            "Execution monitor failed to start: the trigger 'x' has fired".into(),
        );
        let other = HyperlightError::Error("x".into());
        for (error, name, cause, code) in [
            (&failed, "h", None, Some(Code::MonitorFailedToStart)),
            (
                &fired,
                "h",
                Some(Cause::Refusal("x")),
                Some(Code::Cancelled),
            ),
            (&fired, "h", Some(Cause::Interrupt), Some(Code::Cancelled)),
            (&other, "", None, Some(Code::InvalidArgument)),
            (&other, "h", Some(Cause::Interrupt), None),
        ] {
            assert_eq!(refusal(error, name, cause), code, "{error} {cause:?}");
        }
    }
}
