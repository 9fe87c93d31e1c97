//! Properties of what decodes bytes and texts from guests, files and callers, tried with generated input.
//!
//! They stand beside the other tests of each decoder, and their names begin with `fuzz_`. `cargo test` tries each
//! with some hundred cases (or as many as PROPTEST_CASES says). With HLJS_FUZZ_SECONDS each goes on for so long;
//! all at once, if there are threads enough for them, as `./build.sh fuzz` has it:
//!
//! `HLJS_FUZZ_SECONDS=600 cargo test --release fuzz_ -- --show-output --test-threads 99`
//!
//! A case that fails is made as small as it gets, and is shown; it becomes a test of its own.

use std::env;
use std::time::{Duration, Instant};

use hyperlight_js_common::{MAX_JSON_DEPTH, PLACEHOLDER_BIN};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Tries a property, which panics where it does not hold.
pub(crate) fn holds<S: Strategy>(cases: S, property: impl Fn(S::Value)) {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let until = env::var("HLJS_FUZZ_SECONDS").map(|seconds| {
        let seconds = seconds.parse().expect("HLJS_FUZZ_SECONDS is a number");
        Instant::now() + Duration::from_secs(seconds)
    });
    let mut tried = 0_u64;
    loop {
        let mut runner = TestRunner::new(config.clone());
        let result = runner.run(&cases, |case| {
            property(case);
            Ok(())
        });
        // Printed, since this library silences the words of a panic.
        if let Err(failure) = result {
            println!("{failure}");
            panic!("{failure}");
        }
        tried += u64::from(config.cases);
        if until
            .as_ref()
            .map_or(true, |until| Instant::now() >= *until)
        {
            break;
        }
    }
    println!("{tried} cases");
}

/// Texts that are made of these pieces, and of any others.
pub(crate) fn text_of(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        2 => select(pieces).prop_map(str::to_owned),
        1 => "[ -~]{0,8}",
        1 => any::<String>(),
        1 => select(&["\0", "\"", "\\", "\n", "\u{301}", "\u{feff}", "😀", "'", "\u{1b}"][..])
            .prop_map(str::to_owned),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Any text.
pub(crate) fn text() -> impl Strategy<Value = String> {
    text_of(&["\r\n", "ä", " "])
}

/// JSON, with placeholders, true and forged ones, among its values.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        (0..6_u64).prop_map(|index| json!({ PLACEHOLDER_BIN: index })),
        prop_oneof![
            Just(json!(-1)),
            Just(json!(0.0)),
            Just(json!("0")),
            Just(json!([]))
        ]
        .prop_map(|odd| json!({ PLACEHOLDER_BIN: odd })),
        (0..6_u64).prop_map(|index| json!({ PLACEHOLDER_BIN: index, "other": 1 })),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let key = prop_oneof![text(), Just(PLACEHOLDER_BIN.to_owned())];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5).prop_map(|entries| entries.into_iter().collect::<Value>()),
        ]
    })
}

/// Whether the guest accepts a value as the result of a host function: upstream's rules, for a tree.
pub(crate) fn guest_accepts(value: &Value, blobs: Option<usize>, depth: usize) -> bool {
    if depth > MAX_JSON_DEPTH {
        return false;
    }
    match value {
        Value::Array(items) => items
            .iter()
            .all(|item| guest_accepts(item, blobs, depth + 1)),
        Value::Object(entries) => {
            let index = entries.get(PLACEHOLDER_BIN).and_then(Value::as_u64);
            if let (1, Some(index), Some(blobs)) = (entries.len(), index, blobs) {
                return index < blobs as u64;
            }
            entries
                .values()
                .all(|entry| guest_accepts(entry, blobs, depth + 1))
        }
        _ => true,
    }
}

/// How deep lists and objects are nested in a value.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
