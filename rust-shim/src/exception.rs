//! What JavaScript threw. The guest tells it in the debug form of rquickjs's `CaughtError`: an
//! `Exception` with message and stack, or the `Value` of whatever else was thrown. What JavaScript
//! chose is in there quoted and escaped, so it can forge nothing.

/// What JavaScript threw.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Exception {
    /// The exception's message; for a thrown value that is no Error its text, where upstream tells it.
    pub message: String,
    /// The call stack; empty for a thrown value that is no Error.
    pub stack: String,
    /// What kind of value was thrown, in JavaScript's words; empty for an Error.
    pub thrown: &'static str,
}

/// Reads the debug form. White space differs between `{:?}` and `{:#?}`.
pub(crate) fn read(text: &str) -> Option<Exception> {
    let mut reader = Reader(text.trim_end().strip_suffix(')')?);
    if reader.word("Exception").is_some() {
        reader.word("(")?;
        reader.word("Exception")?;
        reader.word("{")?;
        reader.word("message:")?;
        let message = reader.optional_string()?;
        reader.word(",")?;
        reader.word("stack:")?;
        let stack = reader.optional_string()?;
        return Some(Exception {
            message,
            stack,
            thrown: "",
        });
    }
    reader.word("Value")?;
    reader.word("(")?;
    let (thrown, message) = reader.value()?;
    Some(Exception {
        message,
        stack: String::new(),
        thrown,
    })
}

/// A scanner over Rust's debug notation.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    /// Skips white space and takes this word, if it comes next.
    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(word)?;
        Some(())
    }

    /// Takes what comes before the next of these characters, or all.
    fn until(&mut self, end: &[char]) -> &'a str {
        let text = self.0.trim_start();
        let (before, rest) = text.split_at(text.find(end).unwrap_or(text.len()));
        self.0 = rest;
        before.trim_end()
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

    /// Kind and text of what was thrown, from upstream's `Int(7)`, `Null"null"`, `Object(0x1f)`.
    fn value(&mut self) -> Option<(&'static str, String)> {
        let kind = match self.until(&['(', '"', ',']) {
            "" => return None,
            "String" => return Some(("string", self.thrown_string()?)),
            "Bool" => return Some(("boolean", self.in_parentheses()?.to_owned())),
            "Int" => return Some(("number", self.in_parentheses()?.to_owned())),
            "Float" => return Some(("number", number(self.in_parentheses()?.parse().ok()?))),
            "Null" => return Some(("null", "null".to_owned())),
            "Undefined" => return Some(("undefined", "undefined".to_owned())),
            "BigInt" => "bigint",
            "Symbol" => "symbol",
            "Object" => "object",
            "Array" => "array",
            "Function" | "Constructor" => "function",
            "Promise" => "promise",
            "Proxy" => "proxy",
            _ => "unknown",
        };
        // An address is no text: it differs from call to call, and says nothing.
        Some((kind, String::new()))
    }

    /// A number or a truth value in parentheses.
    fn in_parentheses(&mut self) -> Option<&'a str> {
        self.word("(")?;
        Some(self.until(&[',', ')']))
    }

    /// `(Ok("..."))`, or `(Err(...))` for a string with a lone surrogate, which is no UTF-8.
    fn thrown_string(&mut self) -> Option<String> {
        self.word("(")?;
        if self.word("Err").is_some() {
            return Some(String::new());
        }
        self.word("Ok")?;
        self.word("(")?;
        self.string()
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

/// A number as JavaScript prints it. Both languages give the fewest digits that tell it from all
/// others; they differ in when they use an exponent.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned(); // -0, too
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) => match exponent.parse::<i32>() {
            Ok(exponent) if !(-6..=20).contains(&exponent) => format!("{digits}e{exponent:+}"),
            _ => value.to_string(),
        },
        None => value.to_string(), // NaN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::prelude::*;

    fn error(message: &str, stack: &str) -> Option<Exception> {
        Some(Exception {
            message: message.into(),
            stack: stack.into(),
            thrown: "",
        })
    }

    #[test]
    fn errors() {
        let text = "Exception(\n    Exception {\n        message: Some(\n            \"it's \\\"odd\\\"\\n\\u{1b}[31m \\\\ end\",\n        ),\n        stack: Some(\n            \"    at handler (./h.js:1:2)\\n\",\n        ),\n    },\n)";
        assert_eq!(
            read(text),
            error(
                "it's \"odd\"\n\u{1b}[31m \\ end",
                "    at handler (./h.js:1:2)\n"
            )
        );
        assert_eq!(
            read("Exception(Exception { message: Some(\"m\"), stack: None })"),
            error("m", "")
        );
        assert_eq!(
            read("Exception(Exception { message: None, stack: Some(\"s\") })"),
            error("", "s")
        );
    }

    #[test]
    fn thrown_values() {
        for (value, thrown, text) in [
            (
                "String(Ok(\n        \"just \\\"text\\\"),\\n\",\n    ))",
                "string",
                "just \"text\"),\n",
            ),
            ("String(Ok(\"\"))", "string", ""),
            (
                "String(Err(\n        Utf8(\n            Utf8Error {\n                valid_up_to: 0,\n            },\n        ),\n    ))",
                "string",
                "",
            ),
            ("Int(7)", "number", "7"),
            ("Int(\n        -7,\n    )", "number", "-7"),
            ("Float(1.5)", "number", "1.5"),
            ("Float(-inf)", "number", "-Infinity"),
            ("Float(NaN)", "number", "NaN"),
            ("Bool(false)", "boolean", "false"),
            ("Null\"null\"", "null", "null"),
            ("Undefined\"undefined\"", "undefined", "undefined"),
            ("BigInt\"BigInt\"", "bigint", ""),
            ("Symbol(0x00000000001ea8d0)", "symbol", ""),
            ("Object(0x00000000001eaa90)", "object", ""),
            ("Array(0x00000000001eaa10)", "array", ""),
            ("Function(0x1)", "function", ""),
            ("Constructor(0x1)", "function", ""),
            ("Promise(0x1)", "promise", ""),
            ("Proxy(0x1)", "proxy", ""),
            ("Unknown\"unknown\"", "unknown", ""),
            ("Novelty", "unknown", ""),
        ] {
            for report in [
                format!("Value(\n    {value},\n)"),
                format!("Value({value})"),
            ] {
                let exception = Exception {
                    message: text.into(),
                    stack: String::new(),
                    thrown,
                };
                assert_eq!(read(&report), Some(exception), "{report}");
            }
        }
    }

    #[test]
    fn what_is_cut_or_foreign_is_nothing() {
        for text in [
            "",
            "Value(",
            "Value()",
            "Value(Int(7",
            "Value(String(Ok(\"cut",
            "Value(String(\"bare\"))",
            "Value(Float(x))",
            "Exception(Exception { message: Some(\"cut",
            "Exception(Exception { message: Some(\"m\") })",
            "WouldBlock",
            "Error(\n    WouldBlock,\n)",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    /// What node prints for these.
    #[test]
    fn numbers_are_printed_as_in_javascript() {
        for (value, text) in [
            (-0.0, "0"),
            (15.0, "15"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e16, "10000000000000000"),
            (123456789012345680000.0, "123456789012345680000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (0.000001, "0.000001"),
            (1e-7, "1e-7"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    /// Something whose debug form is upstream's.
    mod guest {
        #[derive(Debug)]
        #[expect(dead_code, reason = "its debug form is read")]
        pub struct Exception {
            pub message: Option<String>,
            pub stack: Option<String>,
        }

        #[derive(Debug)]
        #[expect(dead_code, reason = "its debug form is read")]
        pub enum Value {
            String(Result<String, ()>),
            Int(i32),
            Float(f64),
            Bool(bool),
        }

        #[derive(Debug)]
        #[expect(dead_code, reason = "its debug form is read")]
        pub enum CaughtError {
            Exception(Exception),
            Value(Value),
        }
    }

    fn forged() -> impl Strategy<Value = String> {
        fuzz::text_of(&[
            "Exception(",
            "Exception { message: Some(\"",
            "\"), stack: Some(\"",
            "\",\n    ),\n    stack: None,",
            "},\n)",
            "Value(String(Ok(\"",
            "\\u{",
            "\\",
        ])
    }

    #[test]
    fn fuzz_what_was_thrown_is_read() {
        use guest::{CaughtError, Value};
        let text = || prop::option::of(forged());
        let exception = (text(), text()).prop_map(|(message, stack)| {
            let read = error(
                message.as_deref().unwrap_or(""),
                stack.as_deref().unwrap_or(""),
            );
            (
                CaughtError::Exception(guest::Exception { message, stack }),
                read,
            )
        });
        let thrown = |value, thrown, message: String| {
            let read = Exception {
                message,
                thrown,
                ..Exception::default()
            };
            (CaughtError::Value(value), Some(read))
        };
        let cases = prop_oneof![
            3 => exception,
            2 => forged().prop_map(move |t| thrown(Value::String(Ok(t.clone())), "string", t)),
            1 => Just(()).prop_map(move |()| thrown(Value::String(Err(())), "string", String::new())),
            1 => any::<i32>().prop_map(move |n| thrown(Value::Int(n), "number", n.to_string())),
            1 => any::<f64>().prop_map(move |n| thrown(Value::Float(n), "number", number(n))),
            1 => any::<bool>().prop_map(move |b| thrown(Value::Bool(b), "boolean", b.to_string())),
        ];
        fuzz::holds(
            cases.prop_map(|(case, read)| (std::rc::Rc::new(case), read)),
            |(case, expected)| {
                assert_eq!(read(&format!("{case:?}")), expected);
                assert_eq!(read(&format!("{case:#?}")), expected);
            },
        );
    }

    // Upstream may cut a report anywhere. What is read from the rest is then part of what was there.
    #[test]
    fn fuzz_any_text_is_read_or_not() {
        let pieces = &[
            "Exception(",
            "Exception {",
            "message:",
            "stack:",
            "Some(",
            "None",
            ",",
            ")",
            "}",
            "Value(",
            "String(",
            "Ok(",
            "Err(",
            "Int(",
            "Float(",
            "Bool(",
            "\"",
            "\\u{",
            "\\u{110000}",
            "\\x",
        ];
        fuzz::holds(fuzz::text_of(pieces), |text| {
            if let Some(exception) = read(&text) {
                assert!(text.trim_end().ends_with(')'));
                assert!(
                    exception.message.len() <= text.len().max(24),
                    "it is not longer than its source"
                );
                assert!(exception.thrown.is_empty() == text.trim_start().starts_with("Exception"));
            }
        });
    }

    // JavaScript's rules for Number::toString.
    #[test]
    fn fuzz_numbers_are_printed_as_in_javascript() {
        let numbers = prop_oneof![
            any::<f64>(),
            any::<u64>().prop_map(f64::from_bits),
            (any::<i64>(), -30..30).prop_map(|(n, e)| n as f64 * 10_f64.powi(e)),
        ];
        fuzz::holds(numbers, |value| {
            let text = number(value);
            if value.is_nan() {
                return assert_eq!(text, "NaN");
            }
            if value.is_infinite() {
                return assert_eq!(text.trim_start_matches('-'), "Infinity");
            }
            assert_eq!(text.parse::<f64>().unwrap(), value + 0.0, "{text}");
            let size = value.abs();
            let plain = size == 0.0 || (1e-6..1e21).contains(&size);
            assert_eq!(text.contains('e'), !plain, "{text}");
            assert!(
                plain || text.contains("e+") || text.contains("e-"),
                "{text}"
            );
        });
    }
}
