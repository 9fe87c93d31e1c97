//! What the guest's error text tells. The guest runtime reports everything as text, so this file
//! knows upstream's fixed phrases and nothing else does. JavaScript cannot forge them: whatever it
//! throws arrives inside the Rust debug form of an exception, quoted and escaped, and it cannot
//! choose the text of an abort.

const ERROR: &str = "Error: ";
const HANDLER_NOT_FOUND: &str = "No handler registered for function ";
const NO_VALUE: &str = "The handler function did not return a value";
const RUNTIME_ERROR: &str = "Runtime error: ";

/// What JavaScript threw.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Exception {
    /// The exception's message; for a thrown value that is no Error, its text.
    pub message: String,
    /// The call stack; empty for a thrown value that is no Error.
    pub stack: String,
}

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
        .and_then(exception)
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

/// Reads the debug form of rquickjs's `CaughtError`: an `Exception` with message and stack, or the
/// `Value` of whatever else was thrown. White space differs between `{:?}` and `{:#?}`.
fn exception(text: &str) -> Option<Exception> {
    let mut reader = Reader(text);
    if reader.word("Exception").is_some() {
        reader.word("(")?;
        reader.word("Exception")?;
        reader.word("{")?;
        reader.word("message:")?;
        let message = reader.optional_string()?;
        reader.word(",")?;
        reader.word("stack:")?;
        let stack = reader.optional_string()?;
        return Some(Exception { message, stack });
    }
    reader.word("Value")?;
    reader.word("(")?;
    let thrown = reader.thrown_value()?;
    Some(Exception {
        message: thrown,
        stack: String::new(),
    })
}

/// A scanner over Rust's debug notation.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    /// Skips white space and takes this word, if it comes next.
    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(word)?;
        Some(())
    }

    /// `None`, or `Some("...")`, perhaps over several lines.
    fn optional_string(&mut self) -> Option<String> {
        if self.word("None").is_some() {
            return Some(String::new());
        }
        self.word("Some")?;
        self.word("(")?;
        let string = self.string()?;
        let _ = self.word(",");
        self.word(")")?;
        Some(string)
    }

    /// A quoted and escaped string.
    fn string(&mut self) -> Option<String> {
        self.word("\"")?;
        let mut result = String::new();
        let mut rest = self.0.chars();
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => result.push(escape(&mut rest)?),
                plain => result.push(plain),
            }
        }
        self.0 = rest.as_str();
        Some(result)
    }

    /// What was thrown: a string as it was, anything else in upstream's notation, like `Int(7)`.
    fn thrown_value(&mut self) -> Option<String> {
        let start = self.0.trim_start();
        let mut string = Reader(start);
        if string.word("String").is_some() {
            string.word("(")?;
            string.word("Ok")?;
            string.word("(")?;
            return string.string();
        }
        let end = start.trim_end().strip_suffix(')')?;
        let value = end.trim_end().trim_end_matches(',').trim();
        (!value.is_empty()).then(|| value.to_owned())
    }
}

/// The character behind a backslash.
fn escape(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'u' => {
            let (digits, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
            *rest = after.chars();
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
        }
        same => same, // \" \' \\
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thrown(message: &str, stack: &str) -> GuestFailure {
        GuestFailure::Exception(Exception {
            message: message.into(),
            stack: stack.into(),
        })
    }

    #[test]
    fn exceptions() {
        let text = "Error: Runtime error: Exception(\n    Exception {\n        message: Some(\n            \"it's \\\"odd\\\"\\n\\u{1b}[31m \\\\ end\",\n        ),\n        stack: Some(\n            \"    at handler (./h.js:1:2)\\n\",\n        ),\n    },\n)";
        assert_eq!(
            parse(text),
            thrown(
                "it's \"odd\"\n\u{1b}[31m \\ end",
                "    at handler (./h.js:1:2)\n"
            )
        );
        let one_line =
            "Error: Runtime error: Exception(Exception { message: Some(\"m\"), stack: None })";
        assert_eq!(parse(one_line), thrown("m", ""));
    }

    #[test]
    fn thrown_values() {
        for (value, text) in [
            (
                "String(Ok(\n        \"just \\\"text\\\"\",\n    ))",
                "just \"text\"",
            ),
            ("Int(\n        7,\n    )", "Int(\n        7,\n    )"),
            ("Null\"null\"", "Null\"null\""),
        ] {
            let report = format!("Error: Runtime error: Value(\n    {value},\n)");
            assert_eq!(parse(&report), thrown(text, ""), "{value}");
        }
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
            assert_eq!(parse(&report), thrown(forged, ""), "{forged}");
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
}
