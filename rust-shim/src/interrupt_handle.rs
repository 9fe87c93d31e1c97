//! `hljs_interrupt_handle`: upstream's `InterruptHandle`, which stops a guest from another thread.

use std::sync::Arc;

use crate::code::Code;
use crate::error::Error;
use crate::ffi::{self, Out};
use crate::interrupt::Interrupter;

/// A way to stop the guest of one micro-VM. Any number of threads may use it at a time, for as long as they
/// like: it stays valid when the sandbox is unloaded and loaded again, and when it is freed.
pub struct InterruptHandle(Arc<Interrupter>);

impl InterruptHandle {
    pub(crate) fn new(interrupter: Arc<Interrupter>) -> Self {
        Self(interrupter)
    }
}

/// Stops the call that runs, which fails with `HLJS_CODE_CANCELLED` and leaves the sandbox poisoned; if
/// none runs, does nothing, and later calls are not affected. Calls are those of `hljs_loaded_sandbox_handle_event`
/// and `hljs_sandbox_get_loaded_sandbox`, and each event of `hljs_loaded_sandbox_handle_events`.
///
/// `sent` is upstream's answer, 1 if a signal was sent to the guest's thread. It is 0 while the guest waits for
/// a callback, too, and then the guest is stopped when that returns.
///
/// Blocks until the guest has stopped: about as long as the interrupt retry delay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_interrupt_handle_kill(
    handle: *const InterruptHandle,
    sent: *mut u32,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sent = Out::new(sent, "sent")?;
        sent.set(ffi::borrow(handle, "handle")?.0.kill().into());
        Ok(())
    })
}

/// Says whether the micro-VM is gone: 1, or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_interrupt_handle_dropped(
    handle: *const InterruptHandle,
    dropped: *mut u32,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let dropped = Out::new(dropped, "dropped")?;
        dropped.set(ffi::borrow(handle, "handle")?.0.dropped().into());
        Ok(())
    })
}

/// Frees an interrupt handle. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_interrupt_handle_free(handle: *mut InterruptHandle) {
    ffi::free(handle);
}
