//! What a guest asks of its host: functions, and printing. The value is what one more call in the same event costs.

use hyperlight_js::{FnReturn, LoadedJSSandbox, ProtoJSSandbox, Result};

use crate::harness::Harness;
use crate::sandboxes::{builder, call, start_proto};

const ADD: &str = r#"
import * as host from "host";
function handler(event) {
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum = host.add(sum, i);
    return sum;
}"#;

const BYTES: &str = r#"
import * as host from "host";
function handler(event) {
    const data = new Uint8Array(event.bytes);
    let sum = 0;
    for (let i = 0; i < event.n; i++) sum += host.echo(data).length;
    return sum;
}"#;

const PRINT: &str = r#"
const line = "x".repeat(100);
function handler(event) {
    for (let i = 0; i < event.n; i++) console.log(line);
    return event.n;
}"#;

pub fn measure(harness: &Harness) -> Result<()> {
    harness.measure("host_json", "ns", || {
        let mut proto = builder().build()?;
        proto.register("host", "add", |a: f64, b: f64| a + b)?;
        let mut loaded = start_proto(proto, ADD)?;
        one_more(harness, &mut loaded, 5, 100, |n| format!(r#"{{"n":{n}}}"#))
    })?;
    for (name, bytes, operations, more) in [
        ("host_bytes_1kb", 1_000, 5, 50),
        ("host_bytes_1mb", 1_000_000, 2, 2),
    ] {
        harness.measure(name, "ns", || {
            let mut loaded = start_proto(echo_bytes()?, BYTES)?;
            one_more(harness, &mut loaded, operations, more, |n| {
                format!(r#"{{"n":{n},"bytes":{bytes}}}"#)
            })
        })?;
    }
    harness.measure("print", "ns", || {
        let proto = builder()
            .with_host_print_fn((|_: String| 0i32).into())
            .build()?;
        let mut loaded = start_proto(proto, PRINT)?;
        one_more(harness, &mut loaded, 5, 100, |n| format!(r#"{{"n":{n}}}"#))
    })
}

fn echo_bytes() -> Result<ProtoJSSandbox> {
    let mut proto = builder().build()?;
    proto
        .host_module("host")
        .register_js("echo", |_, mut blobs| Ok(FnReturn::Binary(blobs.remove(0))));
    Ok(proto)
}

/// What a call with `1 + more` uses costs more than one with a single use, for each.
fn one_more(
    harness: &Harness,
    loaded: &mut LoadedJSSandbox,
    operations: u32,
    more: u32,
    event: impl Fn(u32) -> String,
) -> Result<f64> {
    let (one, many) = (event(1), event(1 + more));
    let one = harness.each(2, operations, || call(loaded, &one, true))?;
    let many = harness.each(2, operations, || call(loaded, &many, true))?;
    Ok((many - one) / f64::from(more))
}
