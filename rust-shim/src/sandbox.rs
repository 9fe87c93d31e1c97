//! `hljs_sandbox`: upstream's `JSSandbox`, a sandbox with a JavaScript runtime and no code of yours.

use std::sync::Arc;

use flatbuffers::FlatBufferBuilder;
use hyperlight_common::flatbuffer_wrappers::function_call::{FunctionCall, FunctionCallType};
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use hyperlight_js::{
    JSSandbox, Script, validate_module_identifier, validate_namespace_not_reserved,
};

use crate::code::{Code, Status};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::interrupt::Interrupter;
use crate::loaded_sandbox::LoadedSandbox;
use crate::settings::{Effective, LONGEST_TEXT};
use crate::shell::Shell;

/// A sandbox with a JavaScript runtime and no handlers loaded.
pub struct Sandbox {
    shell: Shell<Contents>,
    settings: Arc<Effective>,
    interrupter: Arc<Interrupter>,
}

struct Contents {
    sandbox: JSSandbox,
    /// Upstream does not tell how many there are, and loading none would consume the sandbox.
    handlers: usize,
}

impl Sandbox {
    pub(crate) fn new(
        sandbox: JSSandbox,
        settings: Arc<Effective>,
        interrupter: Arc<Interrupter>,
    ) -> Self {
        let status = sandbox.status();
        let contents = Contents {
            sandbox,
            handlers: 0,
        };
        let shell = Shell::new("the sandbox", contents);
        shell.set_status(status.into());
        Self {
            shell,
            settings,
            interrupter,
        }
    }
}

/// Adds a handler: a module whose exported function `handler(event)` answers to `name`. A script
/// without an `export` line gets `export { handler };` appended. Its relative imports are relative to
/// `base`, a folder of whatever the module loader loads from; (NULL, 0) is none. Nothing is checked
/// but names and sizes: the guest compiles the script in `hljs_sandbox_get_loaded_sandbox`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_add_handler(
    sandbox: *const Sandbox,
    name: *const u8,
    name_len: usize,
    script: *const u8,
    script_len: usize,
    base: *const u8,
    base_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let name = ffi::text_without_nul(name, name_len, "the handler name")?;
        let text = ffi::text_without_nul(script, script_len, "the script")?;
        let base = ffi::text_without_nul(base, base_len, "the base path")?;
        let sandbox = ffi::borrow(sandbox, "sandbox")?;
        let settings = sandbox.settings.get();
        settings.check_name(
            "the handler name, with its base path,",
            base.len() + name.len(),
        )?;
        settings.check_input(
            "the script",
            encoded_len("register_handler", &[name, text, base]),
        )?;
        let script = Script::from_content(text);
        let script = match base {
            "" => script,
            _ => script.with_virtual_base(base),
        };
        sandbox.shell.with(|contents| {
            contents.sandbox.add_handler(name, script).map_err(|e| {
                // Upstream has two reasons: an empty name, or a name it has already.
                Error::from(e).with_code(if name.is_empty() {
                    Code::InvalidArgument
                } else {
                    Code::HandlerExists
                })
            })?;
            contents.handlers += 1;
            Ok(())
        })
    })
}

/// Removes a handler that was added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_remove_handler(
    sandbox: *const Sandbox,
    name: *const u8,
    name_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let name = ffi::text(name, name_len, "the handler name")?;
        ffi::borrow(sandbox, "sandbox")?.shell.with(|contents| {
            contents.sandbox.remove_handler(name).map_err(|e| {
                // Upstream has two reasons: an empty name, or a name it does not have.
                Error::from(e).with_code(if name.is_empty() {
                    Code::InvalidArgument
                } else {
                    Code::HandlerNotFound
                })
            })?;
            contents.handlers -= 1;
            Ok(())
        })
    })
}

/// Removes all handlers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_clear_handlers(
    sandbox: *const Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(sandbox, "sandbox")?.shell.with(|contents| {
            contents.sandbox.clear_handlers();
            contents.handlers = 0;
            Ok(())
        })
    })
}

/// Checks a module's name and namespace as `hljs_sandbox_add_module` does: neither is blank or has a colon, and
/// the namespace is not `host`, the one that upstream reserves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_validate_module_name(
    name: *const u8,
    name_len: usize,
    ns: *const u8,
    ns_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        module_name(name, name_len, ns, ns_len)?;
        Ok(())
    })
}

/// Adds a module, which handlers and other modules import as `namespace:name`; upstream's default
/// namespace is `user`. The guest compiles it when it is first imported, in
/// `hljs_sandbox_get_loaded_sandbox`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_add_module(
    sandbox: *const Sandbox,
    name: *const u8,
    name_len: usize,
    ns: *const u8,
    ns_len: usize,
    script: *const u8,
    script_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let (name, ns) = module_name(name, name_len, ns, ns_len)?;
        let script = ffi::text_without_nul(script, script_len, "the script")?;
        let sandbox = ffi::borrow(sandbox, "sandbox")?;
        let qualified = format!("{ns}:{name}");
        let settings = sandbox.settings.get();
        settings.check_name("the module name, with its namespace,", qualified.len())?;
        settings.check_input(
            "the script",
            encoded_len("register_module", &[&qualified, script]),
        )?;
        sandbox.shell.with(|contents| {
            contents
                .sandbox
                .add_module_ns(name, Script::from_content(script), ns)
                // The one reason that is left, since the name is valid.
                .map_err(|e| Error::from(e).with_code(Code::ModuleExists))
        })
    })
}

/// Removes a module that was added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_remove_module(
    sandbox: *const Sandbox,
    name: *const u8,
    name_len: usize,
    ns: *const u8,
    ns_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let (name, ns) = module_name(name, name_len, ns, ns_len)?;
        ffi::borrow(sandbox, "sandbox")?.shell.with(|contents| {
            contents
                .sandbox
                .remove_module_ns(name, ns)
                .map_err(|e| Error::from(e).with_code(Code::ModuleNotFound))
        })
    })
}

/// Removes all modules.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_clear_modules(
    sandbox: *const Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(sandbox, "sandbox")?.shell.with(|contents| {
            contents.sandbox.clear_modules();
            Ok(())
        })
    })
}

/// The status as of the last finished call. Never waits, from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_status(
    sandbox: *const Sandbox,
    status: *mut Status,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let status = Out::new(status, "status")?;
        status.set(ffi::borrow(sandbox, "sandbox")?.shell.status());
        Ok(())
    })
}

/// Writes a core dump of the guest, as `hljs_builder_set_crashdump_enabled` describes it, also of one
/// that is poisoned, and changes nothing. Two dumps within a millisecond share a file name, and the
/// later one wins. `HLJS_CODE_UNSUPPORTED` without the feature `crashdump`, or when the builder turned
/// core dumps off; `HLJS_CODE_INTERNAL` when the file could not be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_generate_crashdump(
    sandbox: *const Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sandbox = ffi::borrow(sandbox, "sandbox")?;
        sandbox.settings.get().check_crashdump()?;
        sandbox.shell.with(|_contents| {
            #[cfg(feature = "crashdump")]
            _contents.sandbox.generate_crashdump()?;
            Ok(())
        })
    })
}

/// Compiles and evaluates the handlers in the guest. Consumes the sandbox, also when a script fails, or is
/// stopped: by the context (NULL: none), or by an interrupt handle from before the sandbox was unloaded. Not when
/// there are no handlers (`HLJS_CODE_NO_HANDLERS`), or the context was cancelled before
/// (`HLJS_CODE_CONTEXT_CANCELLED`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_get_loaded_sandbox(
    sandbox: *const Sandbox,
    context: *const Context,
    loaded: *mut *mut LoadedSandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let loaded = Out::new(loaded, "loaded")?;
        let sandbox = ffi::borrow(sandbox, "sandbox")?;
        let context = ffi::peek(context).map(Context::since_now);
        let (contents, (call, watched)) = sandbox.shell.take_if(|contents| {
            if contents.handlers == 0 {
                return Err(Error::new(
                    Code::NoHandlers,
                    "No handlers have been added to the sandbox",
                ));
            }
            let call = sandbox.interrupter.begin();
            let watched = context.map(|context| context.watch(&call)).transpose()?;
            Ok((call, watched))
        })?;
        let result = contents.sandbox.get_loaded_sandbox();
        let cause = call.end();
        drop(watched);
        let upstream = result.map_err(|e| Error::from(e).stopped_by(cause))?;
        loaded.give(LoadedSandbox::new(
            upstream,
            Arc::clone(&sandbox.settings),
            Arc::clone(&sandbox.interrupter),
        ));
        Ok(())
    })
}

/// Frees a sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_sandbox_free(sandbox: *mut Sandbox) {
    ffi::free(sandbox);
}

/// A module's name and namespace, as far as upstream allows them, in upstream's words and order.
fn module_name<'a>(
    name: *const u8,
    name_len: usize,
    ns: *const u8,
    ns_len: usize,
) -> Result<(&'a str, &'a str)> {
    let name = ffi::text_without_nul(name, name_len, "the module name")?;
    let ns = ffi::text_without_nul(ns, ns_len, "the module namespace")?;
    validate_module_identifier(name, "Module name")
        .and_then(|()| validate_module_identifier(ns, "Module namespace"))
        .and_then(|()| validate_namespace_not_reserved(ns))
        .map_err(|e| Error::from(e).with_code(Code::InvalidArgument))?;
    Ok((name, ns))
}

/// How long the message is by which upstream calls this function of the guest.
pub(crate) fn encoded_len(function: &str, arguments: &[&str]) -> usize {
    let texts: usize = arguments.iter().map(|text| text.len()).sum();
    if texts > LONGEST_TEXT {
        return usize::MAX; // No message is that long.
    }
    let parameters = arguments
        .iter()
        .map(|text| ParameterValue::String((*text).to_owned()))
        .collect();
    let call = FunctionCall::new(
        function.to_owned(),
        Some(parameters),
        FunctionCallType::Guest,
        ReturnType::Void,
    );
    call.encode(&mut FlatBufferBuilder::with_capacity(texts + 512))
        .len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn what_upstream_cannot_encode_does_not_fit() {
        let zeros = vec![0; 1 << 31]; // Never touched, so it takes no memory.
        // SAFETY: zeros are UTF-8.
        let text = unsafe { String::from_utf8_unchecked(zeros) };
        let mut settings = Settings::default();
        settings.set_input_buffer(8 << 30).unwrap();
        let error = settings
            .check_input("the script", encoded_len("register_handler", &["h", &text]))
            .unwrap_err();
        assert_eq!(error.code(), Code::BufferTooSmall);
    }
}
