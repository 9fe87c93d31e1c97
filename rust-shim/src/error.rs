//! `hljs_error`: the detail behind a code, and how upstream's errors become codes.

use hyperlight_host::mem::shared_mem::{SharedMemoryError, StackError};
use hyperlight_js::HyperlightError;

use crate::code::Code;
use crate::exception::Exception;
use crate::ffi;
use crate::guest_error::{self, AbortReason, GuestFailure};
use crate::interrupt::Cause;

/// Why a call failed. Owned by the caller; freed with `hljs_error_free`.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: String,
    exception: Option<Exception>,
    guest_code: Option<u32>,
    monitor: Option<&'static str>,
}

/// How messages end whose cause is ENOMEM, ENFILE or EMFILE: Rust's standard wording of an OS error.
const NO_RESOURCES: [&str; 3] = ["(os error 12)", "(os error 23)", "(os error 24)"];

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            exception: None,
            guest_code: None,
            monitor: None,
        }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// What this build of the library was not made for.
    pub(crate) fn unsupported(what: &str, feature: &str) -> Self {
        Self::new(
            Code::Unsupported,
            format!("this build of the library does not support {what} (feature {feature})"),
        )
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What stopped the guest, if that is what it is about.
    pub(crate) fn monitor(&self) -> Option<&'static str> {
        self.monitor
    }

    /// What kept a guest from booting, before any code of the caller's ran.
    pub(crate) fn boot_failure(error: HyperlightError) -> Self {
        let mut result = Self::from(error);
        if result.code != Code::VmFailure {
            return result;
        }
        if let Some((code, text)) = guest_error::abort_during_boot(&result.message) {
            result.guest_code = Some(u32::from(code));
            result.code = abort_code(code, text);
        } else if NO_RESOURCES.iter().any(|end| result.message.ends_with(end)) {
            result.code = Code::HostResources;
        } else {
            result.code = Code::HypervisorUnusable;
        }
        result
    }

    /// The same failure with words of ours behind upstream's.
    pub(crate) fn with_note(mut self, note: &str) -> Self {
        self.message = format!("{}: {note}", self.message);
        self
    }

    /// The same failure, with the name of what stopped the guest if that is what it is about.
    pub(crate) fn stopped_by(mut self, cause: Option<Cause>) -> Self {
        if self.code == Code::Cancelled {
            self.monitor = cause.map(Cause::name);
        }
        self
    }

    /// The same failure under another code, for callers that know more than upstream's enum tells.
    pub(crate) fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }
}

impl From<HyperlightError> for Error {
    fn from(error: HyperlightError) -> Self {
        // Upstream's words, unchanged.
        let mut result = Self::new(Code::Internal, error.to_string());
        match error {
            HyperlightError::NoHypervisorFound() => result.code = Code::NoHypervisor,
            HyperlightError::MemoryRequestTooBig(..) => result.code = Code::MemoryTooBig,
            HyperlightError::MemoryRequestTooSmall(..) => result.code = Code::MemoryTooSmall,
            HyperlightError::JsonConversionFailure(detail) => {
                result.code = Code::InvalidJson;
                // Upstream drops what is wrong and where; keep its words first.
                result.message = format!("{}: {detail}", result.message);
            }
            HyperlightError::SharedMemory(SharedMemoryError::Stack(
                StackError::BufferFullError(..),
            )) => result.code = Code::BufferTooSmall,
            HyperlightError::ExecutionCanceledByHost() => result.code = Code::Cancelled,
            HyperlightError::PoisonedSandbox => result.code = Code::Poisoned,
            HyperlightError::UnrecoverableSandbox => result.code = Code::Unrecoverable,
            HyperlightError::ExecutionAccessViolation(_)
            | HyperlightError::MemoryAccessViolation(..) => result.code = Code::AccessViolation,
            HyperlightError::SharedMemory(
                SharedMemoryError::MmapFailed(_)
                | SharedMemoryError::MprotectFailed(_)
                | SharedMemoryError::MemoryAllocationFailed(_),
            ) => result.code = Code::HostResources,
            HyperlightError::HyperlightVmError(_) => result.code = Code::VmFailure,
            HyperlightError::SnapshotHostFunctionMismatch { .. } => {
                result.code = Code::SnapshotMismatch;
            }
            HyperlightError::GuestAborted(code, text) => {
                result.guest_code = Some(u32::from(code));
                result.code = abort_code(code, &text);
            }
            HyperlightError::GuestError(code, text) => {
                result.guest_code = u32::try_from(u64::from(code)).ok();
                match guest_error::parse(&text) {
                    GuestFailure::Exception(exception) => {
                        result.code = Code::JsException;
                        result.exception = Some(exception);
                    }
                    GuestFailure::HandlerNotFound => result.code = Code::HandlerNotFound,
                    GuestFailure::NoValue => result.code = Code::NoValue,
                    GuestFailure::Other => result.code = Code::GuestError,
                }
            }
            _ => {}
        }
        result
    }
}

fn abort_code(code: u8, text: &str) -> Code {
    match guest_error::abort_reason(code, text) {
        AbortReason::OutOfMemory => Code::OutOfMemory,
        AbortReason::OutputTooBig => Code::OutputTooBig,
        AbortReason::Other => Code::GuestAborted,
    }
}

/// The code that the failed call returned. NULL gives `HLJS_CODE_OK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_code(error: *const Error) -> Code {
    ffi::peek(error).map_or(Code::Ok, Error::code)
}

/// The message: upstream's words unchanged where the failure is upstream's. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_message(
    error: *const Error,
    text: *mut *const u8,
    len: *mut usize,
) {
    let message = ffi::peek(error).map_or("", |error| &error.message);
    ffi::lend(message.as_bytes(), text, len);
}

/// The message of the JavaScript exception; for a thrown value that is no Error its text, if it is of a
/// kind that has one (`hljs_error_js_thrown`). Empty when nothing was thrown. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_js_message(
    error: *const Error,
    text: *mut *const u8,
    len: *mut usize,
) {
    let message = exception(error).map_or("", |exception| &exception.message);
    ffi::lend(message.as_bytes(), text, len);
}

/// The stack of the JavaScript exception, one frame a line. Empty when nothing was thrown, or
/// when what was thrown has none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_js_stack(
    error: *const Error,
    text: *mut *const u8,
    len: *mut usize,
) {
    let stack = exception(error).map_or("", |exception| &exception.stack);
    ffi::lend(stack.as_bytes(), text, len);
}

/// What kind of value was thrown, if it was no Error. The message is the text of a "string", "number",
/// "boolean", "null" or "undefined", as JavaScript prints it, but missing for a string with a lone
/// surrogate. Of a "bigint", "symbol", "object", "array", "function", "promise" or "proxy" upstream
/// tells no more than that, and of future kinds, "unknown", not even that: there the message is empty.
/// Empty for an Error, of whatever class, and when nothing was thrown. It stays valid for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_js_thrown(
    error: *const Error,
    text: *mut *const u8,
    len: *mut usize,
) {
    let thrown = exception(error).map_or("", |exception| exception.thrown);
    ffi::lend(thrown.as_bytes(), text, len);
}

/// The guest's own error code (upstream's `ErrorCode`: 13 malloc failed, 15 guest error,
/// 17 host function error, ...), or 0 when the failure is not the guest's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_guest_code(error: *const Error) -> u32 {
    ffi::peek(error)
        .and_then(|error| error.guest_code)
        .unwrap_or(0)
}

/// What made the host stop the guest: the name of the monitor or trigger that fired first, or "interrupt"
/// for an interrupt handle, or "context" for a context. Empty when the code is not `HLJS_CODE_CANCELLED`. It stays
/// valid for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_monitor(
    error: *const Error,
    text: *mut *const u8,
    len: *mut usize,
) {
    let monitor = ffi::peek(error).and_then(|error| error.monitor);
    ffi::lend(monitor.unwrap_or("").as_bytes(), text, len);
}

/// Frees an error and all text borrowed from it. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_error_free(error: *mut Error) {
    ffi::free(error);
}

fn exception<'a>(error: *const Error) -> Option<&'a Exception> {
    ffi::peek(error).and_then(|error| error.exception.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_words_are_kept() {
        let error = Error::from(HyperlightError::PoisonedSandbox);
        assert_eq!(error.code(), Code::Poisoned);
        assert_eq!(error.message(), "The sandbox was poisoned");
    }

    #[test]
    fn abort_13_is_out_of_memory() {
        let error = Error::from(HyperlightError::GuestAborted(
            13,
            "Out of physical memory".into(),
        ));
        assert_eq!(error.code(), Code::OutOfMemory);
        assert_eq!(error.message(), "Guest aborted: 13 Out of physical memory");
        assert_eq!(error.guest_code, Some(13));
    }

    #[test]
    fn memory_that_cannot_be_mapped_is_the_hosts() {
        for error in [
            SharedMemoryError::MmapFailed(Some(libc::ENOMEM)),
            SharedMemoryError::MprotectFailed(Some(libc::ENOMEM)),
            SharedMemoryError::MemoryAllocationFailed(Some(libc::ENOMEM)),
        ] {
            let error = Error::from(HyperlightError::from(error));
            assert_eq!(error.code(), Code::HostResources);
        }
    }

    #[test]
    fn other_aborts_are_aborts() {
        let error = Error::from(HyperlightError::GuestAborted(8, "x".into()));
        assert_eq!(error.code(), Code::GuestAborted);
    }
}
