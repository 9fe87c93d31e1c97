//! `hljs_host_call`: one call of a host function by the guest, while it runs, and its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use hyperlight_js::{FnReturn, HyperlightError};
use hyperlight_js_common::{decode_binaries, encode_binaries};
use serde_json::Value;

use crate::callback::HostFunction;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi;
use crate::json;
use crate::settings::{Effective, Settings};

/// A call of a host function by the guest. It lives as long as the callback runs, and is not freed.
pub struct HostCall {
    settings: Settings,
    answer: Mutex<Answer>,
}

/// What the guest gets: a value, or an exception with this text.
type Answer = std::result::Result<FnReturn, String>;

/// How many bytes of an error's text travel to the guest, which cuts the whole message to 255.
const ERROR_LIMIT: usize = 1000;

/// What stands behind a text that was cut.
const CUT: &str = " ...";

/// What an error needs of the input buffer beside its text and the names, and more than that.
const ERROR_OVERHEAD: usize = 256;

impl HostCall {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            answer: Mutex::new(Ok(FnReturn::Json("null".to_owned()))),
        }
    }

    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn into_answer(self) -> Answer {
        self.answer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what upstream would fail to write to the input buffer, which poisons the sandbox.
    fn check_size(&self, tagged: usize) -> Result<()> {
        // The guest reads this text behind the function's name, and cuts it: it has to be short.
        self.settings.check_input("the result", encoded_len(tagged))
    }
}

/// The function that upstream calls.
pub(crate) fn bridge(
    function: HostFunction,
    settings: Arc<Effective>,
) -> impl Fn(Value, Vec<Vec<u8>>) -> hyperlight_js::Result<FnReturn> + Send + Sync + 'static {
    move |args, blobs| {
        exceptional(|| {
            let call = HostCall::new(settings.get());
            let args = args.to_string();
            let packed = match blobs.as_slice() {
                [] => Vec::new(),
                blobs => encode_binaries(blobs).map_err(|e| e.to_string())?,
            };
            function.call(&call, &args, &packed);
            call.into_answer()
        })
    }
}

/// Turns every failure into an error, which upstream turns into an exception. A panic must not get into
/// upstream, which holds the lock of all host functions meanwhile.
fn exceptional(body: impl FnOnce() -> Answer) -> hyperlight_js::Result<FnReturn> {
    // Unwind safety: what the body shares with later calls is a C function and its user data, which
    // no Rust code looks into.
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(ffi::panic_message(payload.as_ref())))
        .map_err(|text| HyperlightError::Error(cut(text)))
}

/// Refuses names so long that the text of an error, which quotes them, would not fit into the input
/// buffer.
pub(crate) fn check_names(module: &str, name: &str, settings: &Settings) -> Result<()> {
    let needed = module.len() + name.len() + ERROR_LIMIT + CUT.len() + ERROR_OVERHEAD;
    settings.check_input(
        "an error of the host function, which quotes its names,",
        needed,
    )
}

/// Shortens a text to what travels. The guest's copy of it would end at a NUL.
fn cut(text: String) -> String {
    let mut text = text.replace('\0', "\u{FFFD}");
    if text.len() > ERROR_LIMIT {
        let end = (0..=ERROR_LIMIT).rfind(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push_str(CUT);
    }
    text
}

/// How long upstream's message with a result of this many bytes, tag included, is.
fn encoded_len(tagged: usize) -> usize {
    const OVERHEAD: usize = 64;
    tagged.saturating_add(OVERHEAD + 3) & !3
}

/// Gives the guest the result of a host function: JSON, in which each `{"__bin__":N}` stands for blob
/// N, a `Uint8Array`. `blobs` holds them as `hljs_host_fn` describes; with (NULL, 0) there are none, and
/// such an object is an object.
///
/// The last answer of a call counts; without one the result is `null`. A refused answer counts too: the
/// guest gets an exception with the error's text. `HLJS_CODE_BUFFER_TOO_SMALL` when the result does not fit
/// into the input buffer, `HLJS_CODE_INVALID_JSON`, `HLJS_CODE_INVALID_ARGUMENT` for malformed `blobs`, a
/// placeholder without a blob, and values nested deeper than 64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_host_call_return_json(
    call: *const HostCall,
    json: *const u8,
    json_len: usize,
    blobs: *const u8,
    blobs_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let json = ffi::text(json, json_len, "the result");
        let input = json.and_then(|json| Ok((json, ffi::bytes(blobs, blobs_len, "blobs")?)));
        answer(call, input, |call, (json, blobs)| {
            if blobs.is_empty() {
                call.check_size(1 + json.len())?;
                json::check(json, None)?;
                return Ok(Ok(FnReturn::Json(json.to_owned())));
            }
            call.check_size(5 + blobs.len().saturating_add(json.len()))?;
            let count = decode_binaries(blobs)
                .map_err(|e| Error::invalid_argument(e.to_string()))?
                .len();
            json::check(json, Some(count))?;
            let (json, blobs) = (json.to_owned(), blobs.to_vec());
            Ok(Ok(FnReturn::JsonWithBinaries(json, blobs)))
        })
    })
}

/// Gives the guest the result of a host function: a `Uint8Array`. For the rest see
/// `hljs_host_call_return_json`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_host_call_return_bytes(
    call: *const HostCall,
    data: *const u8,
    len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        answer(call, ffi::bytes(data, len, "data"), |call, data| {
            call.check_size(1 + data.len())?;
            Ok(Ok(FnReturn::Binary(data.to_vec())))
        })
    })
}

/// Makes the host function throw an exception, which JavaScript can catch. Its message is `text` behind
/// upstream's words, and upstream's guest cuts it to 255 bytes. The last answer of a call counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_host_call_fail(
    call: *const HostCall,
    text: *const u8,
    text_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let text = ffi::text(text, text_len, "the error text");
        answer(call, text, |_, text| Ok(Err(text.to_owned())))
    })
}

/// Sets the answer of a call: what `check` makes of the input, or why it is refused.
fn answer<T>(
    call: *const HostCall,
    input: Result<T>,
    check: impl FnOnce(&HostCall, T) -> Result<Answer>,
) -> Result<()> {
    let Some(call) = ffi::peek(call) else {
        input?;
        return Err(Error::invalid_argument("call is NULL"));
    };
    match input.and_then(|input| check(call, input)) {
        Ok(answer) => {
            call.set(answer);
            Ok(())
        }
        Err(refusal) => {
            call.set(Err(refusal.message().to_owned()));
            Err(refusal)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::ptr;

    use flatbuffers::FlatBufferBuilder;
    use hyperlight_common::flatbuffer_wrappers::function_types::{FunctionCallResult, ReturnValue};

    use super::*;
    use crate::fuzz;
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Body = fn(call: &HostCall, args: &str, blobs: &[u8]);

    unsafe extern "C" fn run(
        user_data: *mut c_void,
        call: *const HostCall,
        args: *const u8,
        args_len: usize,
        blobs: *const u8,
        blobs_len: usize,
    ) {
        // SAFETY: the tests below pass a Body that outlives the call.
        let body = unsafe { *user_data.cast::<Body>() };
        body(
            ffi::borrow(call, "call").unwrap(),
            ffi::text(args, args_len, "args").unwrap(),
            ffi::bytes(blobs, blobs_len, "blobs").unwrap(),
        );
    }

    /// What upstream gets when the guest calls a function with this body.
    fn called(body: Body, args: &str, blobs: &[&[u8]]) -> std::result::Result<FnReturn, String> {
        let pointer = (&raw const body).cast_mut().cast();
        let function = HostFunction::new(Some(run), pointer, None);
        let bridge = bridge(function, Effective::new(Settings::default()));
        let blobs = blobs.iter().map(|blob| blob.to_vec()).collect();
        bridge(serde_json::from_str(args).unwrap(), blobs).map_err(|e| e.to_string())
    }

    fn exception(body: Body) -> String {
        called(body, "[]", &[]).unwrap_err()
    }

    fn return_json(call: &HostCall, json: &str, blobs: &[u8]) -> Code {
        // SAFETY: all pointers are to live memory.
        unsafe {
            let (json, len) = (json.as_ptr(), json.len());
            hljs_host_call_return_json(
                call,
                json,
                len,
                blobs.as_ptr(),
                blobs.len(),
                ptr::null_mut(),
            )
        }
    }

    fn return_bytes(call: &HostCall, data: &[u8]) -> Code {
        // SAFETY: all pointers are to live memory.
        unsafe { hljs_host_call_return_bytes(call, data.as_ptr(), data.len(), ptr::null_mut()) }
    }

    fn fail(call: &HostCall, text: &str) -> Code {
        // SAFETY: all pointers are to live memory.
        unsafe { hljs_host_call_fail(call, text.as_ptr(), text.len(), ptr::null_mut()) }
    }

    #[test]
    fn arguments_arrive_as_they_were_sent() {
        let args = r#"["pfx",{"__bin__":0},0.30000000000000004,9007199254740993,null]"#;
        let result = called(
            |call, args, blobs| {
                assert_eq!(blobs, b"\x01\0\0\0\x03\0\0\0abc");
                assert_eq!(return_json(call, args, &[]), Code::Ok);
            },
            args,
            &[b"abc"],
        );
        assert!(matches!(result, Ok(FnReturn::Json(json)) if json == args));
        let result = called(|_, _, blobs| assert!(blobs.is_empty()), "[]", &[]);
        assert!(matches!(result, Ok(FnReturn::Json(json)) if json == "null"));
    }

    #[test]
    fn the_last_answer_counts() {
        let result = called(
            |call, _, _| {
                assert_eq!(return_json(call, "1", &[]), Code::Ok);
                assert_eq!(fail(call, "no"), Code::Ok);
                assert_eq!(return_bytes(call, b"xy"), Code::Ok);
            },
            "[]",
            &[],
        );
        assert!(matches!(result, Ok(FnReturn::Binary(data)) if data == b"xy"));
        let text = exception(|call, _, _| {
            assert_eq!(return_bytes(call, b"xy"), Code::Ok);
            assert_eq!(return_json(call, "{", &[]), Code::InvalidJson);
        });
        assert!(text.starts_with("the result is not JSON: EOF"), "{text}");
        let text = exception(|call, _, _| {
            let bad = b"\xff";
            // SAFETY: the pointer is to live memory.
            let code = unsafe { hljs_host_call_fail(call, bad.as_ptr(), 1, ptr::null_mut()) };
            assert_eq!(code, Code::InvalidArgument);
        });
        assert_eq!(
            text,
            "the error text is not UTF-8: invalid byte at offset 0"
        );
    }

    #[test]
    fn blobs_are_checked() {
        let result = called(
            |call, _, _| {
                let blobs = encode_binaries(&[b"a", b"b"]).unwrap();
                assert_eq!(return_json(call, r#"[{"__bin__":1}]"#, &blobs), Code::Ok);
            },
            "[]",
            &[],
        );
        assert!(matches!(result, Ok(FnReturn::JsonWithBinaries(..))));
        let text = exception(|call, _, _| {
            assert_eq!(return_json(call, "1", b"\x01\0\0"), Code::InvalidArgument);
        });
        assert_eq!(text, "Binary sidecar too short for count header");
        let text = exception(|call, _, _| {
            let none = encode_binaries::<&[u8]>(&[]).unwrap();
            let code = return_json(call, r#"{"__bin__":0}"#, &none);
            assert_eq!(code, Code::InvalidArgument);
        });
        assert!(
            text.contains("index 0 out of bounds (have 0 blobs)"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let text = exception(|call, _, _| {
            assert_eq!(return_bytes(call, &[0; 16 << 10]), Code::BufferTooSmall);
        });
        assert_eq!(
            text,
            "the result needs 16468 bytes of the input buffer, which has 16384"
        );
    }

    #[test]
    fn the_size_is_upstreams() {
        for n in (1..200).chain([1000, 1001, 1002, 1003, 65536]) {
            let result = FunctionCallResult::new(Ok(ReturnValue::VecBytes(vec![7; n])));
            let mut builder = FlatBufferBuilder::new();
            assert_eq!(encoded_len(n), result.encode(&mut builder).len(), "{n}");
        }
    }

    #[test]
    fn a_panic_becomes_an_exception() {
        let text = exceptional(|| panic!("boom")).unwrap_err().to_string();
        assert_eq!(text, "the library panicked, which is a bug in it: boom");
    }

    #[test]
    fn long_texts_are_cut() {
        let text = exception(|call, _, _| {
            assert_eq!(fail(call, &"ä".repeat(1 << 20)), Code::Ok);
        });
        assert_eq!(text, format!("{}{CUT}", "ä".repeat(ERROR_LIMIT / 2)));
        let text = exception(|call, _, _| {
            assert_eq!(fail(call, "a\0b"), Code::Ok);
        });
        assert_eq!(text, "a\u{FFFD}b");
    }

    fn echo(call: &HostCall, args: &str, blobs: &[u8]) {
        return_json(call, args, blobs);
    }

    // A guest may write placeholders itself, which name no blob, or one more than once.
    #[test]
    fn fuzz_what_arrives_can_be_returned() {
        let cases = (vec(fuzz::json(), 0..4), vec(vec(any::<u8>(), 0..40), 0..5));
        fuzz::holds(cases, |(args, blobs)| {
            let args = Value::from(args);
            let slices: Vec<_> = blobs.iter().map(Vec::as_slice).collect();
            let count = (!blobs.is_empty()).then_some(blobs.len());
            let accepted = fuzz::guest_accepts(&args, count, 0);
            let (json, back) = match called(echo, &args.to_string(), &slices) {
                Ok(FnReturn::Json(json)) => (json, Vec::new()),
                Ok(FnReturn::JsonWithBinaries(json, packed)) => {
                    (json, decode_binaries(&packed).unwrap())
                }
                Ok(FnReturn::Binary(_)) => panic!("nobody returned bytes"),
                Err(text) => {
                    return assert!(!accepted || text.contains("the input buffer"), "{text}");
                }
            };
            assert!(accepted);
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), args);
            assert_eq!(back, blobs);
        });
    }

    /// How many blobs are packed in these bytes, if they are nothing but blobs.
    fn packed(bytes: &[u8]) -> Option<usize> {
        let number = |bytes: &[u8]| Some(u32::from_le_bytes(*bytes.first_chunk()?) as usize);
        let count = number(bytes)?;
        let mut rest = &bytes[4..];
        for _ in 0..count {
            rest = rest.get(4 + number(rest)?..)?;
        }
        rest.is_empty().then_some(count)
    }

    #[test]
    fn fuzz_only_packed_blobs_are_blobs() {
        let number = prop_oneof![8 => 0..5_u32, 1 => any::<u32>()].prop_map(u32::to_le_bytes);
        let item = prop_oneof![
            3 => number.prop_map(|number| number.to_vec()),
            1 => vec(any::<u8>(), 1..6),
        ];
        fuzz::holds((vec(item, 1..8), 0..3_usize), |(items, index)| {
            let bytes = items.concat();
            let call = HostCall::new(Settings::default());
            let code = return_json(&call, &format!(r#"{{"__bin__":{index}}}"#), &bytes);
            match packed(&bytes) {
                Some(count) if index < count => {
                    assert_eq!(code, Code::Ok);
                    assert!(
                        matches!(call.into_answer(), Ok(FnReturn::JsonWithBinaries(_, b)) if b == bytes)
                    );
                }
                _ => {
                    assert_eq!(code, Code::InvalidArgument);
                    assert!(call.into_answer().is_err());
                }
            }
        });
    }

    #[test]
    fn fuzz_a_cut_text_is_a_beginning() {
        fuzz::holds((fuzz::text(), 0..600_usize), |(text, times)| {
            let text = text.repeat(times);
            let whole = text.replace('\0', "\u{FFFD}");
            let travels = cut(text);
            match travels.strip_suffix(CUT) {
                Some(begin) if whole.len() > ERROR_LIMIT => {
                    assert!(whole.starts_with(begin));
                    assert!((ERROR_LIMIT - 3..=ERROR_LIMIT).contains(&begin.len()));
                }
                _ => assert_eq!(travels, whole),
            }
        });
    }
}
