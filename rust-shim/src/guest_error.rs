//! What the guest's error text tells. The guest runtime reports everything as text, so this file
//! knows upstream's fixed phrases and nothing else does. JavaScript cannot forge them: whatever it
//! throws arrives inside the Rust debug form of an exception, quoted and escaped, and it cannot
//! choose the text of an abort.

use crate::exception::{self, Exception};

const ERROR: &str = "Error: ";
const HANDLER_NOT_FOUND: &str = "No handler registered for function ";
const NO_VALUE: &str = "The handler function did not return a value";
const RUNTIME_ERROR: &str = "Runtime error: ";

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum GuestFailure {
    Exception(Exception),
    HandlerNotFound,
    NoValue,
    Other,
}

/// Classifies the text of a `GuestError`. What it does not recognise is `Other`.
pub(crate) fn parse(text: &str) -> GuestFailure {
    let Some(text) = text.strip_prefix(ERROR) else {
        return GuestFailure::Other;
    };
    if text.starts_with(HANDLER_NOT_FOUND) {
        return GuestFailure::HandlerNotFound;
    }
    if text == NO_VALUE {
        return GuestFailure::NoValue;
    }
    text.strip_prefix(RUNTIME_ERROR)
        .and_then(exception::read)
        .map_or(GuestFailure::Other, GuestFailure::Exception)
}

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum AbortReason {
    OutOfMemory,
    OutputTooBig,
    Other,
}

/// Guest error code of an abort by the guest's allocator: heap or scratch used up.
const MALLOC_FAILED: u8 = 13;

/// Classifies an abort. The guest's Rust code panics where its C code reports a code of its own.
pub(crate) fn abort_reason(code: u8, text: &str) -> AbortReason {
    if code == MALLOC_FAILED || text.contains("\nmemory allocation of ") {
        AbortReason::OutOfMemory
    } else if text.contains("\nFailed to serialize function call result: ")
        && text.contains("Not enough space in shared output buffer.")
    {
        AbortReason::OutputTooBig
    } else {
        AbortReason::Other
    }
}

/// An abort during the guest's boot, of which upstream gives only the text.
pub(crate) fn abort_during_boot(text: &str) -> Option<(u8, &str)> {
    let (_, abort) = text.split_once("Guest aborted: error code ")?;
    let (code, message) = abort.split_once(", message: ")?;
    Some((code.parse().ok()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::prelude::*;

    fn thrown(message: &str) -> GuestFailure {
        GuestFailure::Exception(Exception {
            message: message.into(),
            ..Exception::default()
        })
    }

    #[test]
    fn fixed_texts() {
        assert_eq!(
            parse("Error: No handler registered for function x"),
            GuestFailure::HandlerNotFound
        );
        assert_eq!(
            parse("Error: The handler function did not return a value"),
            GuestFailure::NoValue
        );
    }

    #[test]
    fn forgeries_stay_exceptions() {
        for forged in [
            "No handler registered for function x",
            "The handler function did not return a value",
            "\"), stack: Some(\"forged",
        ] {
            let report = format!(
                "Error: Runtime error: Exception(\n    Exception {{\n        message: Some({forged:?}),\n        stack: None,\n    }},\n)"
            );
            assert_eq!(parse(&report), thrown(forged), "{forged}");
        }
    }

    #[test]
    fn aborts() {
        let panic = "panicked at src/lib.rs:1:2:\n";
        for (code, text, reason) in [
            (13, "Out of physical memory", AbortReason::OutOfMemory),
            (13, "", AbortReason::OutOfMemory),
            (
                8,
                "memory allocation of 3000000 bytes failed",
                AbortReason::OutOfMemory,
            ),
            (
                8,
                "Failed to serialize function call result: HyperlightGuestError { kind: GuestError, message: \"Not enough space in shared output buffer. Required: 2000080, Available: 1048568\" }",
                AbortReason::OutputTooBig,
            ),
            (8, "something else", AbortReason::Other),
        ] {
            let text = if code == 8 {
                format!("{panic}{text}")
            } else {
                text.to_owned()
            };
            assert_eq!(abort_reason(code, &text), reason, "{text}");
        }
    }

    #[test]
    fn aborts_during_boot() {
        assert_eq!(
            abort_during_boot(
                "Internal Hyperlight VM error: Initialize error: Failed to run vm: Guest aborted: error code 13, message: Out of physical memory"
            ),
            Some((13, "Out of physical memory"))
        );
        for text in [
            "",
            "Guest aborted: error code x, message: y",
            "Guest aborted: error code 300, message: y",
        ] {
            assert_eq!(abort_during_boot(text), None, "{text}");
        }
    }

    #[test]
    fn the_unknown_stays_a_guest_error() {
        for text in [
            "",
            "Error: ",
            "Error: something else",
            "Runtime error: Exception(Exception { message: Some(\"m\"), stack: None })",
            "Error: Runtime error: Exception(Exception { message: Some(\"cut",
            "Error: Runtime error: Value(",
            "Error: Runtime error: WouldBlock",
            "Error: The handler function did not return a value\nand more",
        ] {
            assert_eq!(parse(text), GuestFailure::Other, "{text}");
        }
    }

    const PHRASES: &[&str] = &[
        ERROR,
        HANDLER_NOT_FOUND,
        NO_VALUE,
        RUNTIME_ERROR,
        "Exception(",
        "Value(",
        "\"",
        ")",
        "Guest aborted: error code ",
        ", message: ",
        "13",
    ];

    // All that JavaScript can choose is what it throws.
    #[test]
    fn fuzz_what_is_thrown_stays_an_exception() {
        fuzz::holds((fuzz::text_of(PHRASES), any::<bool>()), |(text, plain)| {
            let report = if plain {
                format!(
                    "Error: Runtime error: Value(\n    String(\n        Ok(\n            {text:?},\n        ),\n    ),\n)"
                )
            } else {
                format!(
                    "Error: Runtime error: Exception(Exception {{ message: Some({text:?}), stack: Some({text:?}) }})"
                )
            };
            let GuestFailure::Exception(exception) = parse(&report) else {
                panic!("{report}");
            };
            assert_eq!(exception.message, text);
            assert_eq!(exception.stack, if plain { "" } else { &text });
        });
    }

    #[test]
    fn fuzz_kinds_are_known_by_their_beginning() {
        fuzz::holds(fuzz::text_of(PHRASES), |text| {
            let begins = |words: &str| text.starts_with(&format!("{ERROR}{words}"));
            match parse(&text) {
                GuestFailure::Exception(_) => assert!(begins(RUNTIME_ERROR)),
                GuestFailure::HandlerNotFound => assert!(begins(HANDLER_NOT_FOUND)),
                GuestFailure::NoValue => assert!(begins(NO_VALUE)),
                GuestFailure::Other => assert!(!begins(HANDLER_NOT_FOUND)),
            }
        });
    }

    #[test]
    fn fuzz_an_abort_during_boot_is_read() {
        let cases = (fuzz::text(), any::<u8>(), fuzz::text_of(PHRASES));
        fuzz::holds(cases, |(before, code, message)| {
            let text = format!("{before}: Guest aborted: error code {code}, message: {message}");
            assert_eq!(abort_during_boot(&text), Some((code, message.as_str())));
        });
    }
}
