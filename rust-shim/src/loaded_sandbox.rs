//! `hljs_loaded_sandbox`: upstream's `LoadedJSSandbox`, a sandbox whose handlers take events.

use std::sync::{Mutex, PoisonError};

use hyperlight_js::LoadedJSSandbox;

use crate::code::{Code, Status};
use crate::error::Error;
use crate::ffi::{self, Out};
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::shell::Shell;
use crate::snapshot::Snapshot;
use crate::snapshot_error;

/// A sandbox whose handlers take events.
pub struct LoadedSandbox {
    shell: Shell<LoadedJSSandbox>,
    /// What the micro-VM was built with, and has again after unloading.
    original: Settings,
    /// What is in effect: a restored snapshot brings its sizes along.
    settings: Mutex<Settings>,
}

impl LoadedSandbox {
    pub(crate) fn new(contents: LoadedJSSandbox, settings: Settings) -> Self {
        let status = contents.status();
        let shell = Shell::new("the loaded sandbox", contents);
        shell.set_status(status.into());
        Self {
            shell,
            original: settings,
            settings: Mutex::new(settings),
        }
    }

    fn settings(&self) -> Settings {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn adopt_sizes(&self, snapshot: &Settings) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        *settings = settings.with_sizes_of(snapshot);
    }
}

/// Runs a handler with an event, which is JSON, and gives its result, which is JSON. With `gc` other
/// than 0 the guest collects garbage afterwards (upstream's default). Blocks until the guest is done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_handle_event(
    loaded: *const LoadedSandbox,
    name: *const u8,
    name_len: usize,
    event: *const u8,
    event_len: usize,
    gc: u32,
    result: *mut *mut u8,
    result_len: *mut usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let name = ffi::text_without_nul(name, name_len, "the handler name")?;
        let event = ffi::text(event, event_len, "the event")?;
        let result = Out::new(result, "result")?;
        let result_len = Out::new(result_len, "result_len")?;
        let loaded = ffi::borrow(loaded, "loaded")?;
        let shell = &loaded.shell;
        let answer = shell.with(|contents| {
            let answer = contents.handle_event(name, event.to_owned(), Some(gc != 0));
            shell.set_status(contents.status().into());
            answer.map_err(|e| {
                let error = Error::from(e);
                // Upstream has no variant for this one; it checks it after the event's JSON.
                match error.code() {
                    Code::Internal if name.is_empty() => error.with_code(Code::InvalidArgument),
                    Code::BufferTooSmall => error.with_note(&format!(
                        "handler name and event have {} bytes, the input buffer {}",
                        name.len() + event.len(),
                        loaded.settings().input_buffer
                    )),
                    _ => error,
                }
            })
        })?;
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
        let settings = ffi::borrow(loaded, "loaded")?.settings();
        ffi::set_if_wanted(heap_size, settings.heap);
        ffi::set_if_wanted(scratch_size, settings.scratch);
        ffi::set_if_wanted(input_buffer_size, settings.input_buffer);
        ffi::set_if_wanted(output_buffer_size, settings.output_buffer);
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
        let taken = loaded.shell.with(|contents| {
            contents
                .snapshot()
                .map_err(snapshot_error::taking_or_restoring)
        })?;
        snapshot.give(Snapshot::new(taken, loaded.settings()));
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
            loaded.adopt_sizes(snapshot.settings());
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
        let contents = loaded.shell.take(|_| Ok(()))?;
        sandbox.give(Sandbox::new(contents.unload()?, loaded.original));
        Ok(())
    })
}

/// Frees a loaded sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_free(loaded: *mut LoadedSandbox) {
    ffi::free(loaded);
}
