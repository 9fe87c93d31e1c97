//! What this library is, asked at run time.

use crate::code::Code;
use crate::error::Error;
use crate::ffi::{self, Out};
use crate::hypervisor;

/// The version of the ABI that this header describes. It grows with every incompatible change:
/// a program must refuse a library whose `hljs_abi_version()` is another number.
pub const HLJS_ABI_VERSION: u32 = 1;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const FEATURES: &str = env!("HLJS_BUILD_FEATURES");
const RUNTIME: &str = env!("HLJS_BUILD_RUNTIME");

/// The ABI version of this library. Look this up and check it before anything else.
#[unsafe(no_mangle)]
pub extern "C" fn hljs_abi_version() -> u32 {
    HLJS_ABI_VERSION
}

/// The version of this library, like `0.1.0`. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_version(text: *mut *const u8, len: *mut usize) {
    ffi::lend(VERSION.as_bytes(), text, len);
}

/// The optional features of this build, sorted and separated by commas; empty when there are none.
/// The text is static. They are:
///
/// - `crashdump`: core dumps of guests, on request and when one crashes;
/// - `gdb`: guests wait for a debugger (`hljs_builder_set_debugging_port`);
/// - `print_debug`: upstream prints what it does to standard output;
/// - `trace_guest`: guests record their own spans for upstream's tracing, which costs them time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_features(text: *mut *const u8, len: *mut usize) {
    ffi::lend(FEATURES.as_bytes(), text, len);
}

/// The guest runtime that is embedded: `hyperlight-js-runtime 0.4.0`, upstream's own and its version,
/// or `custom, sha256 ` and the hash of another one's file, in hexadecimal. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_runtime(text: *mut *const u8, len: *mut usize) {
    ffi::lend(RUNTIME.as_bytes(), text, len);
}

/// Sets `*present` to 1 when a hypervisor (/dev/kvm or /dev/mshv) is there and answers, else to 0.
/// 1 does not mean that it can run a guest: only booting one tells.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_is_hypervisor_present(
    present: *mut u32,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let present = Out::new(present, "present")?;
        present.set(u32::from(hypervisor::is_present()));
        Ok(())
    })
}
