//! Upstream's logs and spans, collected for a reader in the caller's program.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::json;
use tracing::callsite::rebuild_interest_cache;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::log_layer::{Filter, Forward, Record};
use crate::log_ring::{Ring, Taken};

/// How important a log record is. A level includes those above it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum LogLevel {
    /// Nothing.
    Off = 0,
    /// Failures, every JavaScript exception among them, with its text.
    Error = 1,
    /// A monitor stopped a guest, and the like.
    Warn = 2,
    /// Each step in the life of a sandbox, and each call.
    Info = 3,
    /// What is below that.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

impl LogLevel {
    fn from_u32(value: u32) -> Result<Self> {
        [
            Self::Off,
            Self::Error,
            Self::Warn,
            Self::Info,
            Self::Debug,
            Self::Trace,
        ]
        .into_iter()
        .find(|level| *level as u32 == value)
        .ok_or_else(|| {
            Error::invalid_argument(format!("level is {value}, but the highest is 5, trace"))
        })
    }
}

/// How many records can wait at most.
const MAX_CAPACITY: u32 = 1 << 20;

/// How many records one call gives at most.
const BATCH: usize = 256;

static RING: Ring<Record> = Ring::new();
static FILTER: Filter = Filter::off();
static RUNNING: Mutex<bool> = Mutex::new(false);

/// Makes this module the receiver of what `tracing` has to tell, once; false if something else is.
///
/// It comes before the first sandbox, wanted or not: without a receiver `tracing` prepares everything for
/// the crate `log`, which nobody listens to either. That costs 4,000 instructions a call; one that wants
/// nothing costs none.
pub(crate) fn subscribe() -> bool {
    static SUBSCRIBED: OnceLock<bool> = OnceLock::new();
    *SUBSCRIBED.get_or_init(|| {
        let forward = Forward {
            filter: &FILTER,
            ring: &RING,
        };
        tracing::subscriber::set_global_default(Registry::default().with(forward)).is_ok()
    })
}

fn running() -> MutexGuard<'static, bool> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts to collect what upstream logs, for the whole process. `level` is an hljs_log_level, and at
/// most `capacity` records wait for hljs_logs_next, of 1 to 1,048,576; nor do more than some 16 MiB
/// of text. What comes when there is no room is dropped and counted; a guest never waits for the
/// reader. With `spans` at 1, each span (a step in the life of a sandbox, a call) is a record as well,
/// when it ends; with 0, spans cost nothing.
///
/// A guest logs up to a level of its own, which upstream reads from the environment variable RUST_LOG
/// when a sandbox loads its runtime; "error" if it is not set.
///
/// `HLJS_CODE_LOGS_RUNNING` until hljs_logs_stop was called. What is left of an earlier collection is
/// dropped. Before the first start, and after a stop, nothing is collected, and nothing is paid for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_logs_start(
    level: u32,
    spans: u32,
    capacity: u32,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let level = LogLevel::from_u32(level)?;
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(Error::invalid_argument(format!(
                "capacity is {capacity}, not from 1 to {MAX_CAPACITY}"
            )));
        }
        let mut running = running();
        if *running {
            return Err(Error::new(
                Code::LogsRunning,
                "logs are being collected already",
            ));
        }
        if !subscribe() {
            let message = "something else in the library receives its logs";
            return Err(Error::new(Code::Internal, message));
        }
        RING.open(capacity as usize);
        FILTER.set_spans(spans != 0);
        change_level(level);
        *running = true;
        Ok(())
    })
}

/// Changes the level of what is collected. `HLJS_CODE_LOGS_STOPPED` unless it is running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_logs_set_level(level: u32, error: *mut *mut Error) -> Code {
    ffi::guard(error, || {
        let level = LogLevel::from_u32(level)?;
        let running = running();
        if !*running {
            return Err(stopped());
        }
        change_level(level);
        Ok(())
    })
}

/// Waits for records, and gives those that are there, oldest first, as JSON: a list of objects. (NULL, 0)
/// when none came within `timeout` nanoseconds (UINT64_MAX: for ever; 0: does not wait);
/// `HLJS_CODE_LOGS_STOPPED` once hljs_logs_stop was called and all records were given. The caller frees
/// the bytes. Meant for one thread that does nothing else.
///
/// Each object has `kind`. With "event" and "span" there are: `time`, in nanoseconds since 1970, for a
/// span that of its end; `level`, an hljs_log_level; `target`, the Rust module, or "hyperlight_guest" for
/// what a guest logs; `message`, a text, for a span its name; `fields`, a list of pairs of a name and a
/// value, which is a boolean, a number or a text; `parent`, the number of the span that it is in, if any.
/// A span also has `span`, its number, and `duration`, in nanoseconds. With "lost" there is `count`: so
/// many records came here, and were dropped.
///
/// Texts may come from guests; do not trust them. A record has at most 64 KiB of text: what is longer
/// ends with " [cut]".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_logs_next(
    timeout: u64,
    json: *mut *mut u8,
    len: *mut usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let json = Out::new(json, "json")?;
        let len = Out::new(len, "len")?;
        let timeout = match timeout {
            u64::MAX => Duration::MAX,
            nanoseconds => Duration::from_nanos(nanoseconds),
        };
        let records = RING.take(BATCH, timeout).ok_or_else(stopped)?;
        ffi::give_bytes(to_json(&records), json, len);
        Ok(())
    })
}

/// Stops to collect: nothing is added from now on, and hljs_logs_next gives what is left. Doing it
/// twice is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_logs_stop(error: *mut *mut Error) -> Code {
    ffi::guard(error, || {
        let mut running = running();
        if *running {
            change_level(LogLevel::Off);
            RING.close();
            *running = false;
        }
        Ok(())
    })
}

/// Every place that logs remembers whether it is wanted, so it has to be told.
fn change_level(level: LogLevel) {
    FILTER.set_level(level);
    rebuild_interest_cache();
}

fn stopped() -> Error {
    Error::new(Code::LogsStopped, "logs are not being collected")
}

/// No records are no bytes.
fn to_json(records: &[Taken<Record>]) -> Vec<u8> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut json = b"[".to_vec();
    for record in records {
        if json.len() > 1 {
            json.push(b',');
        }
        match record {
            Taken::Value(record) => serde_json::to_writer(&mut json, record),
            Taken::Lost(count) => {
                serde_json::to_writer(&mut json, &json!({"kind": "lost", "count": count}))
            }
        }
        .expect("text and numbers are always JSON");
    }
    json.push(b']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::ptr;

    fn failed(code: Code, error: *mut Error) -> (Code, String) {
        assert_ne!(code, Code::Ok);
        // SAFETY: the failed call has just made it.
        let error = unsafe { Box::from_raw(error) };
        (code, error.message().to_owned())
    }

    fn start(level: u32, spans: u32, capacity: u32) -> std::result::Result<(), (Code, String)> {
        let mut error = ptr::null_mut();
        // SAFETY: `error` is a live local.
        match unsafe { hljs_logs_start(level, spans, capacity, &mut error) } {
            Code::Ok => Ok(()),
            code => Err(failed(code, error)),
        }
    }

    fn set_level(level: u32) -> Code {
        // SAFETY: NULL is allowed.
        unsafe { hljs_logs_set_level(level, ptr::null_mut()) }
    }

    fn stop() {
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { hljs_logs_stop(ptr::null_mut()) }, Code::Ok);
    }

    fn next(timeout: u64) -> std::result::Result<Value, Code> {
        let (mut json, mut len) = (ptr::null_mut(), 0);
        // SAFETY: the outputs are live locals.
        match unsafe { hljs_logs_next(timeout, &mut json, &mut len, ptr::null_mut()) } {
            Code::Ok if json.is_null() => Ok(Value::Null),
            Code::Ok => {
                let bytes = ffi::bytes(json, len, "json").unwrap().to_vec();
                ffi::free_bytes(json, len);
                Ok(serde_json::from_slice(&bytes).unwrap())
            }
            code => Err(code),
        }
    }

    /// What another test logs can come in between.
    fn ours(records: Value) -> Vec<String> {
        let records = records.as_array().cloned().unwrap_or_default();
        let ours = records.iter().filter(|r| r["target"] == "logs::tests");
        ours.map(|r| r["message"].as_str().unwrap().to_owned())
            .collect()
    }

    fn log() {
        tracing::info_span!(target: "logs::tests", "span").in_scope(|| {
            tracing::error!(target: "logs::tests", "error");
            tracing::info!(target: "logs::tests", "info");
        });
    }

    // One test, since there is one collection for the process.
    #[test]
    fn a_collection_from_start_to_stop_twice() {
        assert_eq!(next(u64::MAX), Err(Code::LogsStopped));
        assert_eq!(set_level(1), Code::LogsStopped);
        let (code, message) = start(6, 0, 1).unwrap_err();
        assert_eq!(code, Code::InvalidArgument);
        assert_eq!(message, "level is 6, but the highest is 5, trace");
        for capacity in [0, MAX_CAPACITY + 1, u32::MAX] {
            assert_eq!(start(1, 0, capacity).unwrap_err().0, Code::InvalidArgument);
        }
        // SAFETY: NULL is what is being tried.
        let code = unsafe { hljs_logs_next(0, ptr::null_mut(), &mut 0, ptr::null_mut()) };
        assert_eq!(code, Code::InvalidArgument);

        log(); // before anybody wants it
        start(LogLevel::Error as u32, 0, 1000).unwrap();
        assert_eq!(start(1, 0, 1).unwrap_err().0, Code::LogsRunning);
        log();
        assert_eq!(set_level(LogLevel::Info as u32), Code::Ok);
        assert_eq!(set_level(9), Code::InvalidArgument);
        log();
        assert_eq!(set_level(LogLevel::Off as u32), Code::Ok);
        log();
        assert_eq!(ours(next(u64::MAX).unwrap()), ["error", "error", "info"]);
        assert_eq!(set_level(LogLevel::Info as u32), Code::Ok);
        log();
        stop();
        stop();
        log();
        assert_eq!(ours(next(u64::MAX).unwrap()), ["error", "info"]);
        assert_eq!(next(0), Err(Code::LogsStopped));

        start(LogLevel::Trace as u32, 1, 2).unwrap();
        log();
        stop();
        let records = next(u64::MAX).unwrap();
        assert_eq!(records[2]["kind"], "lost");
        assert!(records[2]["count"].as_u64().unwrap() >= 1);
        assert_eq!(next(0), Err(Code::LogsStopped));
    }

    #[test]
    fn nothing_is_no_bytes() {
        assert!(to_json(&[]).is_empty());
        let two = to_json(&[Taken::Lost(3), Taken::Lost(4)]);
        let two: Value = serde_json::from_slice(&two).unwrap();
        assert_eq!(
            two,
            json!([{"kind": "lost", "count": 3}, {"kind": "lost", "count": 4}])
        );
    }
}
