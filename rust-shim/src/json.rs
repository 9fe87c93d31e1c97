//! Whether the guest will accept a text as the result of a host function, found out without building
//! a tree of it.

use std::fmt;

use hyperlight_js_common::{MAX_JSON_DEPTH, PLACEHOLDER_BIN};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::code::Code;
use crate::error::{Error, Result};

/// Checks a text as the guest's parser will. With `blobs`, every `{"__bin__":N}` must name one of
/// that many; without, such an object is nothing special.
pub(crate) fn check(text: &str, blobs: Option<usize>) -> Result<()> {
    let root = Node {
        depth: 0,
        blobs,
        may_be_index: false,
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    root.deserialize(&mut parser)
        .and_then(|_| parser.end())
        .map_err(|e| match e.classify() {
            Category::Data => Error::invalid_argument(format!("the result: {e}")),
            _ => Error::new(Code::InvalidJson, format!("the result is not JSON: {e}")),
        })
}

/// A value to check. The result is its number, if it is one that can name a blob.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
    blobs: Option<usize>,
    /// It may be the number in a placeholder, which the guest does not look at as a value of its own.
    may_be_index: bool,
}

impl Node {
    fn child(self) -> Self {
        Self {
            depth: self.depth + 1,
            may_be_index: false,
            ..self
        }
    }

    /// The value behind a placeholder's key.
    fn index(self) -> Self {
        Self {
            may_be_index: self.blobs.is_some(),
            ..self.child()
        }
    }

    fn check_depth<E: serde::de::Error>(self) -> std::result::Result<(), E> {
        if self.depth > MAX_JSON_DEPTH {
            // Upstream's words.
            return Err(E::custom(format!(
                "JSON nesting depth exceeds maximum ({MAX_JSON_DEPTH})"
            )));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        input: D,
    ) -> std::result::Result<Option<u64>, D::Error> {
        if !self.may_be_index {
            self.check_depth()?;
        }
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> std::result::Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Option<u64>, E> {
        Ok(Some(number))
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut items: A,
    ) -> std::result::Result<Option<u64>, A::Error> {
        self.check_depth()?;
        while items.next_element_seed(self.child())?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut entries: A,
    ) -> std::result::Result<Option<u64>, A::Error> {
        self.check_depth()?;
        // A key that comes twice counts once, and its last value counts: so the guest reads it.
        let (mut others, mut named) = (false, None);
        while let Some(is_placeholder) = entries.next_key_seed(Key)? {
            if is_placeholder {
                named = Some(entries.next_value_seed(self.index())?);
            } else {
                others = true;
                entries.next_value_seed(self.child())?;
            }
        }
        match (others, named, self.blobs) {
            (false, Some(Some(index)), Some(blobs)) if index >= blobs as u64 => {
                Err(A::Error::custom(format!(
                    "Binary placeholder index {index} out of bounds (have {blobs} blobs)"
                )))
            }
            (false, Some(Some(_)), Some(_)) | (_, None, _) => Ok(None),
            _ => self.child().check_depth().map(|()| None), // It is an object after all.
        }
    }
}

/// Whether a key is that of a placeholder.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> std::result::Result<bool, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> std::result::Result<bool, E> {
        Ok(key == PLACEHOLDER_BIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::prelude::*;

    fn refusal(text: &str, blobs: Option<usize>) -> (Code, String) {
        let error = check(text, blobs).unwrap_err();
        (error.code(), error.message().to_owned())
    }

    fn nested(depth: usize, inside: &str) -> String {
        format!("{}{inside}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn json_is_json() {
        for text in [
            "null",
            " true ",
            "-0",
            "1e300",
            "18446744073709551615",
            r#""\ud83d\ude0a\u0000""#,
            r#"{"":[{},[]],"a":{"b":[1,2.5,"x"]}}"#,
        ] {
            check(text, None).unwrap();
            check(text, Some(0)).unwrap();
        }
        for (text, end) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{}x", "trailing characters at line 1 column 3"),
            ("undefined", "expected value at line 1 column 1"),
            ("1e999", "number out of range at line 1 column 5"),
            (
                r#""\ud800""#,
                "unexpected end of hex escape at line 1 column 8",
            ),
        ] {
            let (code, message) = refusal(text, None);
            assert_eq!(code, Code::InvalidJson, "{text}");
            assert_eq!(message, format!("the result is not JSON: {end}"));
        }
    }

    #[test]
    fn depth_is_limited_as_in_the_guest() {
        check(&nested(MAX_JSON_DEPTH, "1"), None).unwrap();
        check(&nested(MAX_JSON_DEPTH + 1, ""), None).unwrap();
        let (code, message) = refusal(&nested(MAX_JSON_DEPTH + 1, "1"), None);
        assert_eq!(code, Code::InvalidArgument);
        assert!(message.starts_with("the result: JSON nesting depth exceeds maximum (64)"));
        assert_eq!(refusal(&nested(100_000, ""), None).0, Code::InvalidArgument);
    }

    // The guest does not look into a placeholder: it is a value, like a number.
    #[test]
    fn a_blob_may_be_as_deep_as_a_number() {
        let deepest = |inside| nested(MAX_JSON_DEPTH, inside);
        check(&deepest(r#"{"__bin__":0}"#), Some(1)).unwrap();
        let too_deep = |text: &str, blobs| {
            let (code, message) = refusal(text, blobs);
            assert_eq!(code, Code::InvalidArgument, "{text}");
            assert!(message.contains("depth exceeds maximum (64)"), "{message}");
        };
        too_deep(&deepest(r#"[{"__bin__":0}]"#), Some(1));
        too_deep(&deepest(r#"{"__bin__":0}"#), None);
        for inside in [
            r#"{"__bin__":"0"}"#,
            r#"{"__bin__":[]}"#,
            r#"{"__bin__":0,"a":1}"#,
        ] {
            too_deep(&deepest(inside), Some(1));
        }
        too_deep(&r#"{"__bin__":"#.repeat(100_000), Some(1));
    }

    #[test]
    fn placeholders_name_blobs() {
        for text in [
            r#"{"__bin__":1}"#,
            r#"[{"a":{"__bin__":0}}]"#,
            r#"{"__bin__":9,"other":1}"#,
            r#"{"__bin__":9.0}"#,
            r#"{"__bin__":-9}"#,
            r#"{"__bin__":"9"}"#,
            r#"{"__bin__":9,"__bin__":1}"#,
        ] {
            check(text, Some(2)).unwrap();
        }
        for text in [
            r#"{"__bin__":2}"#,
            r#"[{"a":{ "__bin__" : 2 }}]"#,
            r#"{"\u005f_bin__":2}"#,
            r#"{"__bin__":0,"__bin__":2}"#,
        ] {
            let (code, message) = refusal(text, Some(2));
            assert_eq!(code, Code::InvalidArgument, "{text}");
            assert!(
                message.contains("Binary placeholder index 2 out of bounds (have 2 blobs)"),
                "{message}"
            );
            check(text, None).unwrap();
        }
    }

    // Of a key that comes twice, `check` looks at both values, so only one direction holds for damaged texts.
    #[test]
    fn fuzz_the_check_is_the_guests() {
        let damage = prop::option::of((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9a\\\\]?"));
        let cases = (
            fuzz::json(),
            prop_oneof![0..70_usize, 60..67_usize], // The limit is 64.
            any::<bool>(),
            prop::option::of(0..4_usize),
            damage,
        );
        fuzz::holds(cases, |(value, depth, in_lists, blobs, damage)| {
            let (open, close) = if in_lists {
                ("[", "]")
            } else {
                ("{\"a\":", "}")
            };
            let mut text = format!("{}{value}{}", open.repeat(depth), close.repeat(depth));
            if let Some((index, replacement)) = &damage {
                let mut bytes = text.into_bytes();
                let at = index.index(bytes.len());
                bytes.splice(at..=at, replacement.bytes());
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            let tree = serde_json::from_str(&text);
            let accepted = tree
                .as_ref()
                .is_ok_and(|tree| fuzz::guest_accepts(tree, blobs, 0));
            match check(&text, blobs) {
                Ok(()) => assert!(accepted, "{text}"),
                Err(error) if damage.is_none() => {
                    assert!(!accepted, "{text}");
                    assert_eq!(error.code(), Code::InvalidArgument);
                }
                Err(error) => {
                    assert!(
                        tree.is_err() || error.code() == Code::InvalidArgument,
                        "{text}"
                    );
                }
            }
        });
    }
}
