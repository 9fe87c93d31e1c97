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
}
