//! `hljs_loaded_sandbox`: upstream's `LoadedJSSandbox`, a sandbox whose handlers take events.

use hyperlight_js::LoadedJSSandbox;

use crate::code::{Code, Status};
use crate::error::Error;
use crate::ffi::{self, Out};
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::shell::Shell;

/// A sandbox whose handlers take events.
pub struct LoadedSandbox {
    shell: Shell<LoadedJSSandbox>,
    settings: Settings,
}

impl LoadedSandbox {
    pub(crate) fn new(contents: LoadedJSSandbox, settings: Settings) -> Self {
        let status = contents.status();
        let shell = Shell::new("the loaded sandbox", contents);
        shell.set_status(status.into());
        Self { shell, settings }
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
        let (shell, settings) = (&loaded.shell, &loaded.settings);
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
                        settings.input_buffer
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

/// Writes a core dump of the guest, like `hljs_sandbox_generate_crashdump`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_generate_crashdump(
    loaded: *const LoadedSandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let loaded = ffi::borrow(loaded, "loaded")?;
        loaded.settings.check_crashdump()?;
        loaded.shell.with(|_contents| {
            #[cfg(feature = "crashdump")]
            _contents.generate_crashdump()?;
            Ok(())
        })
    })
}

/// Forgets all handlers and restores the state before they were loaded, also from poisoned.
/// Consumes the loaded sandbox, also on failure.
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
        sandbox.give(Sandbox::new(contents.unload()?, loaded.settings));
        Ok(())
    })
}

/// Frees a loaded sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_loaded_sandbox_free(loaded: *mut LoadedSandbox) {
    ffi::free(loaded);
}
