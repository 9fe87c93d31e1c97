//! Events that are refused before they enter the guest, by upstream or on its behalf.

use flatbuffers::FlatBufferBuilder;
use hyperlight_common::flatbuffer_wrappers::function_call::{FunctionCall, FunctionCallType};
use hyperlight_common::flatbuffer_wrappers::function_types::{ParameterValue, ReturnType};
use hyperlight_host::mem::shared_mem::{SharedMemoryError, StackError};
use hyperlight_js::{HyperlightError, SandboxStatus};
use serde::de::IgnoredAny;

use crate::code::Code;
use crate::interrupt::Cause;
use crate::monitor;
use crate::settings::LONGEST_TEXT;

/// How upstream refuses a sandbox that takes no calls.
pub(crate) fn check_status(status: SandboxStatus) -> hyperlight_js::Result<()> {
    match status {
        SandboxStatus::Ready => Ok(()),
        SandboxStatus::Poisoned => Err(HyperlightError::PoisonedSandbox),
        SandboxStatus::Unrecoverable => Err(HyperlightError::UnrecoverableSandbox),
    }
}

/// What upstream finds fault with before it looks at sizes.
pub(crate) fn check_event(status: SandboxStatus, event: &str) -> hyperlight_js::Result<()> {
    serde_json::from_str::<IgnoredAny>(event).map_err(HyperlightError::JsonConversionFailure)?;
    check_status(status)
}

/// How upstream refuses an event that is longer than the input buffer. It would do so itself, but only after it
/// has made a tree of it, which takes 25 times its size of memory, and no monitor ends that.
pub(crate) fn too_big(
    status: SandboxStatus,
    name: &str,
    event: &str,
    input_buffer: u64,
) -> HyperlightError {
    if let Err(error) = check_event(status, event) {
        return error;
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
pub(crate) fn refusal(error: &HyperlightError, name: &str, cause: Option<Cause>) -> Option<Code> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

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
