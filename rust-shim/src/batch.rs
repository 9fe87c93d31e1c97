//! `hljs_batch`: what became of the events of a batch.

use crate::batch_monitor::BatchMonitor;
use crate::code::Code;
use crate::context::Since;
use crate::error::{Error, Result};
use crate::ffi;
use crate::monitor::Monitor;
use crate::stats::Stats;

/// Events that are handled together.
pub(crate) struct Events<'a> {
    pub events: &'a [*const u8],
    pub lens: &'a [usize],
    pub stop_on_error: bool,
    /// Of all events together.
    pub monitors: Vec<&'a Monitor>,
    pub context: Option<Since<'a>>,
}

/// What ends a batch before its time.
struct Limits<'a> {
    monitors: Vec<BatchMonitor>,
    context: Option<Since<'a>>,
}

impl<'a> Limits<'a> {
    fn begin(events: &Events<'a>) -> Self {
        let monitors = events.monitors.iter();
        Self {
            monitors: monitors.map(|m| BatchMonitor::begin(m)).collect(),
            context: events.context,
        }
    }

    /// What is left of the monitors for the next event; or why there is to be none.
    fn check(&self) -> Result<Vec<Monitor>> {
        self.context.as_ref().map_or(Ok(()), Since::check)?;
        self.monitors.iter().map(BatchMonitor::rest).collect()
    }
}

/// What became of one of them.
pub(crate) struct Taken {
    pub answer: Result<String>,
    /// What upstream measured, if it let the event into the guest.
    pub stats: Option<Stats>,
    /// The sandbox takes no other.
    pub is_last: bool,
}

impl Taken {
    /// Whether a context or a trigger kept the event out of the guest.
    fn was_kept_out(&self) -> bool {
        let stops = [Code::ContextCancelled, Code::Cancelled];
        !self.is_last
            && self
                .answer
                .as_ref()
                .is_err_and(|e| stops.contains(&e.code()))
    }

    fn refused(error: Error) -> Self {
        Self {
            answer: Err(error),
            stats: None,
            is_last: false,
        }
    }
}

/// What became of events that were handled together. It never changes.
#[derive(Default)]
pub struct Batch {
    results: Vec<u8>,
    result_lens: Vec<usize>,
    /// C sees a list of pointers that may be NULL, which is what an `Option<Box>` is.
    errors: Vec<Option<Box<Error>>>,
    end: End,
    stats: Stats,
}

#[derive(Default)]
enum End {
    /// There were no more events.
    #[default]
    Complete,
    /// The last event that was taken up failed, and no other was to follow, or could.
    LastEvent,
    /// Something kept the next event from being taken up.
    Before(Box<Error>),
}

impl Batch {
    /// Has the events taken up, one after the other, by `take`, which gets the index, the event, and what is left of the
    /// batch's monitors.
    pub(crate) fn run(
        &mut self,
        events: &Events,
        mut take: impl FnMut(usize, &str, &[Monitor]) -> Taken,
    ) {
        let limits = Limits::begin(events);
        for (index, (event, len)) in events.events.iter().zip(events.lens).enumerate() {
            let rest = match limits.check() {
                Ok(rest) => rest,
                Err(reason) => return self.end_before(reason),
            };
            let taken = match ffi::text(*event, *len, "the event") {
                Ok(event) => take(index, event, &rest),
                Err(error) => Taken::refused(error),
            };
            // Was that for the batch? Then it came since the check.
            if taken.was_kept_out()
                && let Err(reason) = limits.check()
            {
                return self.end_before(reason);
            }
            if let Some(stats) = taken.stats {
                self.stats.add(&stats);
            }
            match taken.answer {
                Err(error) if taken.is_last || events.stop_on_error => return self.end_with(error),
                answer => self.push(answer),
            }
        }
    }

    /// Adds what became of the next event.
    fn push(&mut self, answer: Result<String>) {
        let before = self.results.len();
        let error = match answer {
            Ok(result) => {
                self.results.extend_from_slice(result.as_bytes());
                None
            }
            Err(error) => Some(Box::new(error)),
        };
        self.result_lens.push(self.results.len() - before);
        self.errors.push(error);
    }

    /// Adds an event that failed, and is the last.
    pub(crate) fn end_with(&mut self, error: Error) {
        self.push(Err(error));
        self.end = End::LastEvent;
    }

    /// The next event was not taken up, for this reason.
    pub(crate) fn end_before(&mut self, reason: Error) {
        if let Some(monitor) = reason.monitor() {
            self.stats.terminated_by = Some(monitor);
        }
        self.end = End::Before(Box::new(reason));
    }

    fn end(&self) -> Option<&Error> {
        match &self.end {
            End::Complete => None,
            End::LastEvent => self.errors.last()?.as_deref(),
            End::Before(reason) => Some(reason),
        }
    }
}

/// What became of each event that was taken up, in order. All outputs are borrowed from `batch`, and each may be
/// NULL.
///
/// `done` is how many events were taken up, and `result_lens` and `errors` are lists of that many. `results` are
/// their results one after the other: that of the first has `result_lens[0]` bytes, and so on. Of an event that
/// failed, the length is 0 and `errors` has its error; for the others, that is NULL.
///
/// `end` is why no more events were taken up: NULL if that were all. It is the error of the last one if that ended
/// the batch, the same pointer, also if none was left to follow.
///
/// For NULL, everything is NULL or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_batch_results(
    batch: *const Batch,
    results: *mut *const u8,
    results_len: *mut usize,
    result_lens: *mut *const usize,
    errors: *mut *const *const Error,
    done: *mut usize,
    end: *mut *const Error,
) {
    let nothing = Batch::default();
    let batch = ffi::peek(batch).unwrap_or(&nothing);
    ffi::lend(&batch.results, results, results_len);
    ffi::lend(&batch.result_lens, result_lens, done);
    ffi::lend(&batch.errors, errors.cast(), done);
    ffi::set_if_wanted(
        end,
        batch.end().map_or(std::ptr::null(), std::ptr::from_ref),
    );
}

/// What the events of a batch took together. Each output is that of `hljs_loaded_sandbox_last_call_stats`, for all
/// events that it counts: `calls` is how many these are, the times are sums, and `terminated_by` is the monitor that
/// fired last, in an event or between two. For NULL, everything is NULL or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_batch_stats(
    batch: *const Batch,
    calls: *mut u64,
    wall_clock: *mut u64,
    cpu_time: *mut u64,
    has_cpu_time: *mut u32,
    terminated_by: *mut *const u8,
    terminated_by_len: *mut usize,
) {
    let stats = ffi::peek(batch)
        .map(|batch| batch.stats)
        .unwrap_or_default();
    stats.give(
        calls,
        wall_clock,
        cpu_time,
        has_cpu_time,
        terminated_by,
        terminated_by_len,
    );
}

/// Frees a batch, and everything borrowed from it. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_batch_free(batch: *mut Batch) {
    ffi::free(batch);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::fuzz;
    use crate::monitor::Kind;
    use crate::trigger::Trigger;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::ptr;
    use std::time::Duration;

    const PLAIN: Events = Events {
        events: &[],
        lens: &[],
        stop_on_error: false,
        monitors: Vec::new(),
        context: None,
    };

    /// Runs a batch of these texts. They echo, and "bad" fails, unless `look` knows better.
    fn run(
        texts: &[&[u8]],
        options: Events,
        mut look: impl FnMut(&str, &mut Taken),
    ) -> (Batch, Vec<usize>) {
        let pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        let lens: Vec<_> = texts.iter().map(|text| text.len()).collect();
        let events = Events {
            events: &pointers,
            lens: &lens,
            ..options
        };
        let (mut batch, mut indexes) = (Batch::default(), Vec::new());
        batch.run(&events, |index, event, _| {
            indexes.push(index);
            let mut taken = Taken::refused(Error::new(Code::JsException, "bad"));
            if event != "bad" {
                taken.answer = Ok(event.to_owned());
            }
            look(event, &mut taken);
            taken
        });
        (batch, indexes)
    }

    /// What C sees: the results, an empty one for a failure, the codes of the failures, and the code of the end, and
    /// whether that is the last event's.
    fn seen(batch: &Batch) -> (Vec<&str>, Vec<Code>, Code, bool) {
        let (mut results, mut results_len, mut lens) = (ptr::null(), 0, ptr::null());
        let (mut errors, mut done, mut end) = (ptr::null(), 0, ptr::null());
        // SAFETY: the batch and all outputs are live locals.
        unsafe {
            hljs_batch_results(
                batch,
                &mut results,
                &mut results_len,
                &mut lens,
                &mut errors,
                &mut done,
                &mut end,
            );
        }
        let mut rest = ffi::text(results, results_len, "results").unwrap();
        let mut texts = Vec::new();
        for len in ffi::slice(lens, done, "lens").unwrap() {
            let (text, after) = rest.split_at(*len);
            texts.push(text);
            rest = after;
        }
        assert_eq!(rest, "");
        let errors = ffi::slice(errors, done, "errors").unwrap();
        let code = |error| ffi::peek::<Error>(error).map_or(Code::Ok, Error::code);
        let codes = errors.iter().map(|error| code(*error)).collect();
        let is_last = !end.is_null() && errors.last() == Some(&end);
        (texts, codes, code(end), is_last)
    }

    const OK: Code = Code::Ok;
    const JS: Code = Code::JsException;

    #[test]
    fn nothing_becomes_of_nothing() {
        let (batch, _) = run(&[], PLAIN, |_, _| {});
        assert_eq!(seen(&batch), (vec![], vec![], OK, false));
    }

    #[test]
    fn a_failure_is_that_of_its_event() {
        let events: [&[u8]; 5] = [b"one", b"bad", b"a\xff", b"", b"five"];
        let (batch, indexes) = run(&events, PLAIN, |_, _| {});
        assert_eq!(indexes, [0, 1, 3, 4]);
        let codes = vec![OK, JS, Code::InvalidArgument, OK, OK];
        assert_eq!(
            seen(&batch),
            (vec!["one", "", "", "", "five"], codes, OK, false)
        );
        let error = batch.errors[2].as_deref().unwrap();
        assert_eq!(
            error.message(),
            "the event is not UTF-8: invalid byte at offset 1"
        );
    }

    #[test]
    fn a_failure_may_be_the_end() {
        let stop = || Events {
            stop_on_error: true,
            ..PLAIN
        };
        let all: [&[u8]; 3] = [b"one", b"bad", b"three"];
        for texts in [&all[..], &all[..2]] {
            let (batch, _) = run(texts, stop(), |_, _| {});
            assert_eq!(seen(&batch), (vec!["one", ""], vec![OK, JS], JS, true));
            let (batch, _) = run(texts, PLAIN, |event, taken| {
                taken.is_last = event == "bad";
            });
            assert_eq!(seen(&batch), (vec!["one", ""], vec![OK, JS], JS, true));
        }
    }

    const TEXTS: [&[u8]; 4] = [b"one", b"two", b"three", b"bad"];

    // It may come in an event, just before it gets into the guest, or in one that does not get there at all.
    #[test]
    fn a_context_ends_a_batch() {
        let context = Context::new();
        let under = || Events {
            context: Some(context.since_now()),
            ..PLAIN
        };
        let end = Code::ContextCancelled;
        for reset in [true, false] {
            let cancel = |event: &str| {
                if event == "two" {
                    context.cancel();
                }
                if reset {
                    context.reset();
                }
            };
            let (batch, indexes) = run(&TEXTS, under(), |event, _| cancel(event));
            assert_eq!(indexes, [0, 1]);
            assert_eq!(seen(&batch), (vec!["one", "two"], vec![OK, OK], end, false));
            context.reset();
            let (batch, _) = run(&TEXTS, under(), |event, taken| {
                cancel(event);
                if event == "two" {
                    taken.answer = Err(Error::new(end, "cancelled"));
                }
            });
            assert_eq!(seen(&batch), (vec!["one"], vec![OK], end, false));
        }
        let (batch, indexes) = run(&TEXTS, under(), |_, _| {});
        assert!(indexes.is_empty());
        assert_eq!(seen(&batch), (vec![], vec![], end, false));
    }

    // Another monitor of the batch goes on.
    #[test]
    fn a_monitor_ends_a_batch() {
        let trigger = Trigger::new("test: a batch").unwrap();
        let monitors = [
            Monitor::new(Kind::wall_clock(Duration::MAX).unwrap()),
            Monitor::new(Kind::Trigger(trigger.clone())),
        ];
        let under = || Events {
            monitors: monitors.iter().collect(),
            ..PLAIN
        };
        let end = Code::Cancelled;
        let fire = |event: &str| {
            if event == "two" {
                trigger.fire();
                trigger.reset();
            }
        };
        let (batch, _) = run(&TEXTS, under(), |event, _| fire(event));
        assert_eq!(seen(&batch), (vec!["one", "two"], vec![OK, OK], end, false));
        assert_eq!(batch.stats.terminated_by, Some("test: a batch"));
        let refused = |taken: &mut Taken| taken.answer = Err(Error::new(end, "it has fired"));
        let (batch, _) = run(&TEXTS, under(), |event, taken| {
            fire(event);
            refused(taken);
        });
        assert_eq!(seen(&batch), (vec![""], vec![end], end, false));
        let (batch, _) = run(&TEXTS[..2], under(), |event, _| fire(event));
        assert_eq!(seen(&batch).2, OK, "it fired after the last event");
    }

    // One of each event keeps that out of the guest, and no other.
    #[test]
    fn a_monitor_of_an_event_ends_no_batch() {
        let end = Code::Cancelled;
        let (batch, _) = run(&TEXTS[..3], PLAIN, |event, taken| {
            if event == "two" {
                taken.answer = Err(Error::new(end, "it has fired"));
            }
        });
        let codes = vec![OK, end, OK];
        assert_eq!(seen(&batch), (vec!["one", "", "three"], codes, OK, false));
    }

    #[test]
    fn what_events_took_is_added_up() {
        let (batch, _) = run(&[b"1", b"bad", b"3"], PLAIN, |event, taken| {
            taken.stats = (event != "1").then_some(Stats {
                calls: 77,
                wall_clock: Duration::from_nanos(20),
                cpu_time: Some(Duration::from_nanos(10)),
                terminated_by: (event == "bad").then_some("quota"),
            });
        });
        assert_eq!(
            batch.stats,
            Stats {
                calls: 2,
                wall_clock: Duration::from_nanos(40),
                cpu_time: Some(Duration::from_nanos(20)),
                terminated_by: Some("quota"),
            }
        );
    }

    #[test]
    fn fuzz_each_event_has_its_result() {
        let event = prop_oneof![
            3 => fuzz::text().prop_map(String::into_bytes),
            1 => Just(b"bad".to_vec()),
            1 => vec(any::<u8>(), 0..6),
        ];
        fuzz::holds(
            (vec(event, 0..12), any::<bool>()),
            |(events, stop_on_error)| {
                let slices: Vec<_> = events.iter().map(Vec::as_slice).collect();
                let (batch, _) = run(
                    &slices,
                    Events {
                        stop_on_error,
                        ..PLAIN
                    },
                    |_, _| {},
                );
                let (mut texts, mut codes, mut end) = (Vec::new(), Vec::new(), OK);
                for event in &events {
                    let (text, code) = match std::str::from_utf8(event) {
                        Ok("bad") => ("", JS),
                        Ok(text) => (text, OK),
                        Err(_) => ("", Code::InvalidArgument),
                    };
                    texts.push(text);
                    codes.push(code);
                    if stop_on_error && code != OK {
                        end = code;
                        break;
                    }
                }
                assert_eq!(seen(&batch), (texts, codes, end, end != OK));
            },
        );
    }
}
