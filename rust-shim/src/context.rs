//! `hljs_context`: what calls run under. Cancelling it stops them, and keeps new ones from running.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::interrupt::{Call, Gate};
use crate::repeater;

/// Cancels calls. May be used by any number of calls, sandboxes and threads at a time. It takes none of the
/// places of a call's monitors, and costs next to nothing.
pub struct Context(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    /// How often it was.
    times: u64,
    calls: Vec<Gate>,
}

impl Context {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Has this call stopped when the context is cancelled, until the result is dropped. A cancelled context
    /// refuses.
    pub(crate) fn watch(&self, call: &Call) -> Result<Watched> {
        let mut state = lock(&self.0);
        state.check(state.times)?;
        state.calls.push(call.gate());
        Ok(Watched {
            context: Arc::clone(&self.0),
            gate: call.gate(),
        })
    }

    /// How often it was cancelled.
    pub(crate) fn times(&self) -> u64 {
        lock(&self.0).times
    }

    /// Refuses if it is cancelled, or was cancelled more often than so.
    pub(crate) fn check(&self, times: u64) -> Result<()> {
        lock(&self.0).check(times)
    }

    pub(crate) fn cancel(&self) {
        let calls = {
            let mut state = lock(&self.0);
            state.cancelled = true;
            state.times += 1;
            state.calls.clone()
        };
        // Calls that have ended meanwhile are behind closed gates. To kill takes a moment for each.
        for call in calls {
            call.cancel();
        }
    }

    pub(crate) fn reset(&self) {
        lock(&self.0).cancelled = false;
    }
}

impl State {
    fn check(&self, times: u64) -> Result<()> {
        if !self.cancelled && self.times == times {
            return Ok(());
        }
        Err(Error::new(
            Code::ContextCancelled,
            "the context was cancelled before the guest could run",
        ))
    }
}

/// A call that a context may cancel.
pub(crate) struct Watched {
    context: Arc<Mutex<State>>,
    gate: Gate,
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.context).calls.retain(|gate| *gate != self.gate);
    }
}

/// The state is consistent at every moment.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a context that is not cancelled. `HLJS_CODE_HOST_RESOURCES` when the thread that repeats interrupts
/// cannot be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_new(
    context: *mut *mut Context,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let context = Out::new(context, "context")?;
        repeater::start_or_fail()?;
        context.give(Context::new());
        Ok(())
    })
}

/// Cancels a context: calls that run under it are stopped, each for certain, with `HLJS_CODE_CANCELLED` and
/// "context" as the monitor's name, which leaves their sandboxes poisoned; calls that begin later are refused
/// with `HLJS_CODE_CONTEXT_CANCELLED`, which changes nothing. Cancelling it again does nothing.
///
/// Like `hljs_interrupt_handle_kill` it blocks until the guests have stopped, or wait for a callback, after
/// which they are stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_cancel(
    context: *const Context,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(context, "context")?.cancel();
        Ok(())
    })
}

/// Makes a cancelled context usable again. Calls that ran when it was cancelled end all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_reset(
    context: *const Context,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(context, "context")?.reset();
        Ok(())
    })
}

/// Frees a context; calls that have begun under it go on, and nothing can cancel them any more. It must not be
/// freed while another thread begins one. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_free(context: *mut Context) {
    ffi::free(context);
}
