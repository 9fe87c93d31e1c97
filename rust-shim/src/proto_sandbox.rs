//! `hljs_proto_sandbox`: upstream's `ProtoJSSandbox`, a sandbox without a JavaScript runtime.

use hyperlight_js::ProtoJSSandbox;

use crate::code::Code;
use crate::error::Error;
use crate::ffi::{self, Out};
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::shell::Shell;
use crate::signal;

/// A sandbox without a JavaScript runtime.
pub struct ProtoSandbox {
    shell: Shell<ProtoJSSandbox>,
    settings: Settings,
}

impl ProtoSandbox {
    pub(crate) fn new(contents: ProtoJSSandbox, settings: Settings) -> Self {
        Self {
            shell: Shell::new("the proto sandbox", contents),
            settings,
        }
    }
}

/// Boots the micro-VM and the JavaScript runtime in it. Consumes the proto sandbox, also on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_load_runtime(
    proto: *const ProtoSandbox,
    sandbox: *mut *mut Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sandbox = Out::new(sandbox, "sandbox")?;
        let proto = ffi::borrow(proto, "proto")?;
        let contents = proto.shell.take(|_| Ok(()))?;
        let shield = signal::Shield::new();
        let result = contents.load_runtime();
        drop(shield);
        let loaded = result.map_err(Error::boot_failure)?;
        signal::check_handler(proto.settings.interrupt_signal_offset)?;
        sandbox.give(Sandbox::new(loaded, proto.settings, None));
        Ok(())
    })
}

/// Frees a proto sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_free(proto: *mut ProtoSandbox) {
    ffi::free(proto);
}
