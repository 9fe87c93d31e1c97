//! Turns what upstream logs (through the crate `tracing`) into records. It runs on the threads that
//! run guests. Texts may come from a guest: they are data, and their length is bounded.

use std::fmt::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::hush;
use crate::import_limits;
use crate::log_ring::Ring;
use crate::logs::LogLevel;

/// How much text a record holds.
const MAX_TEXT: usize = 64 << 10;

/// What follows a text that was cut.
const CUT: &str = " [cut]";

/// What is wanted.
pub(crate) struct Filter {
    level: AtomicU64,
    spans: AtomicBool,
}

impl Filter {
    pub(crate) const fn off() -> Self {
        Self {
            level: AtomicU64::new(LogLevel::Off as u64),
            spans: AtomicBool::new(false),
        }
    }

    /// Takes effect once `tracing` has asked again: `rebuild_interest_cache`.
    pub(crate) fn set_level(&self, level: LogLevel) {
        self.level.store(level as u64, Ordering::Relaxed);
    }

    pub(crate) fn set_spans(&self, spans: bool) {
        self.spans.store(spans, Ordering::Relaxed);
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let level = LogLevel::from(*metadata.level()) as u64;
        level <= self.level.load(Ordering::Relaxed)
            && (metadata.is_event() || self.spans.load(Ordering::Relaxed))
    }

    fn most(&self) -> LevelFilter {
        const FILTERS: [LevelFilter; 6] = [
            LevelFilter::OFF,
            LevelFilter::ERROR,
            LevelFilter::WARN,
            LevelFilter::INFO,
            LevelFilter::DEBUG,
            LevelFilter::TRACE,
        ];
        FILTERS[self.level.load(Ordering::Relaxed) as usize]
    }
}

/// Something that was logged, in the form that `hljs_logs_next` documents.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    kind: &'static str,
    time: u64,
    level: u32,
    target: &'static str,
    message: String,
    fields: Vec<(&'static str, Value)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
}

impl Record {
    fn new(metadata: &'static Metadata<'static>, message: String, fields: Fields) -> Self {
        Self {
            kind: "event",
            time: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, nanoseconds),
            level: LogLevel::from(*metadata.level()) as u32,
            target: metadata.target(),
            message,
            fields: fields.values,
            span: None,
            parent: None,
            duration: None,
        }
    }

    /// How much memory it takes, roughly.
    fn bytes(&self) -> usize {
        let field = |(_, value): &(_, Value)| match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        let values: usize = self.fields.iter().map(field).sum();
        size_of::<Self>() + mem::size_of_val(&*self.fields) + self.message.len() + values
    }
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

/// Collects the fields of an event or a span.
#[derive(Debug)]
struct Fields {
    message: String,
    values: Vec<(&'static str, Value)>,
    room: usize, // for text, in bytes
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            message: String::new(),
            values: Vec::new(),
            room: MAX_TEXT,
        }
    }
}

impl Fields {
    /// The last value of a field counts.
    fn set(&mut self, field: &Field, value: Value) {
        match self
            .values
            .iter_mut()
            .find(|(name, _)| *name == field.name())
        {
            Some((_, old)) => *old = value,
            None => self.values.push((field.name(), value)),
        }
    }

    fn set_text(&mut self, field: &Field, text: fmt::Arguments<'_>) {
        let mut bounded = Bounded {
            text: String::new(),
            room: self.room,
        };
        // The only error is that of Bounded, which has marked the text by then.
        let _ = bounded.write_fmt(text);
        self.room = bounded.room;
        match field.name() {
            "message" => self.message = bounded.text,
            _ => self.set(field, Value::Text(bounded.text)),
        }
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::Unsigned(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.set(field, Value::Float(value)),
            false => self.set_text(field, format_args!("{value}")), // JSON has no such numbers.
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set_text(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_text(field, format_args!("{value:?}"));
    }
}

/// Text of a limited length. What does not fit is not even formatted.
struct Bounded {
    text: String,
    room: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.room {
            self.room -= text.len();
            self.text.push_str(text);
            return Ok(());
        }
        let fits = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=self.room).rev().find(fits).unwrap_or(0);
        self.text.push_str(&text[..end]);
        self.text.push_str(CUT);
        self.room = 0;
        Err(fmt::Error)
    }
}

/// A span that is not over yet.
struct Open {
    number: u64,
    since: Instant,
    fields: Fields,
}

/// Sends records to a ring.
pub(crate) struct Forward {
    pub(crate) filter: &'static Filter,
    pub(crate) ring: &'static Ring<Record>,
}

impl Forward {
    fn send(&self, record: Record) {
        let bytes = record.bytes();
        self.ring.push(record, bytes);
    }
}

/// Spans are numbered, since the registry uses its own numbers again.
fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

fn number<'a, S: LookupSpan<'a>>(span: Option<SpanRef<'a, S>>) -> Option<u64> {
    Some(span?.extensions().get::<Open>()?.number)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.filter.wants(metadata) || import_limits::is_announcement(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.filter.wants(metadata) || import_limits::is_announcement(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Upstream's announcements are of this level.
        Some(self.filter.most().max(LevelFilter::DEBUG))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if hush::is_hushed() {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Open {
                number: next_number(),
                since: Instant::now(),
                fields,
            });
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Formatting a value could log, and so look at this span: it must not be locked then.
        let take = |open: &mut Open| mem::take(&mut open.fields);
        let Some(mut fields) = span.extensions_mut().get_mut().map(take) else {
            return;
        };
        values.record(&mut fields);
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            open.fields = fields;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if hush::is_hushed() {
            return;
        }
        if import_limits::is_announcement(event.metadata()) {
            import_limits::check(event);
            if !self.filter.wants(event.metadata()) {
                return;
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut record = Record::new(event.metadata(), mem::take(&mut fields.message), fields);
        record.parent = number(context.event_span(event));
        self.send(record);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(open) = span.extensions_mut().remove::<Open>() else {
            return;
        };
        let name = span.metadata().name().to_owned();
        let mut record = Record::new(span.metadata(), name, open.fields);
        record.kind = "span";
        record.span = Some(open.number);
        record.parent = number(span.parent());
        record.duration = Some(nanoseconds(open.since.elapsed()));
        self.send(record);
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            _ => Self::Trace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use crate::hush::Hush;
    use crate::log_ring::Taken;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};
    use std::time::Duration;
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt;

    /// What is recorded while `body` runs, without what differs from run to run.
    fn collect(level: LogLevel, spans: bool, body: impl FnOnce()) -> Vec<Json> {
        let filter: &'static Filter = Box::leak(Box::new(Filter::off()));
        let ring: &'static Ring<Record> = Box::leak(Box::new(Ring::new()));
        filter.set_level(level);
        filter.set_spans(spans);
        ring.open(100);
        let subscriber = Registry::default().with(Forward { filter, ring });
        tracing::subscriber::with_default(subscriber, body);
        let records = ring.take(100, Duration::ZERO).unwrap();
        let json = |entry| match entry {
            Taken::Value(record) => serde_json::to_value::<Record>(record).unwrap(),
            Taken::Lost(_) => panic!("a record was lost"),
        };
        records.into_iter().map(json).collect()
    }

    #[test]
    fn events_keep_level_target_message_and_typed_fields() {
        let before = SystemTime::now();
        let records = collect(LogLevel::Trace, true, || {
            tracing::warn!(
                target: "a::b",
                yes = true, big = u64::MAX, small = -5, half = 0.5, none = f64::NAN,
                text = "t\"\n", debug = ?Some(1), shown = %2.0,
                "hello {}", "world",
            );
        });
        let mut record = records[0].clone();
        let time = record["time"].take().as_u64().unwrap();
        let began = before.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(time >= nanoseconds(began));
        assert_eq!(
            record,
            json!({
                "kind": "event", "time": null, "level": 2, "target": "a::b", "message": "hello world",
                "fields": [
                    ["yes", true], ["big", u64::MAX], ["small", -5], ["half", 0.5], ["none", "NaN"],
                    ["text", "t\"\n"], ["debug", "Some(1)"], ["shown", "2"],
                ],
            })
        );
        assert_eq!(records.len(), 1);
    }

    #[test]
    fn a_span_is_one_record_at_its_end() {
        let records = collect(LogLevel::Trace, true, || {
            let outer = tracing::info_span!(target: "t", "outer", a = 1, b = tracing::field::Empty);
            let _entered = outer.enter();
            tracing::debug_span!("inner").in_scope(|| {
                tracing::error!("inside");
                std::thread::sleep(Duration::from_millis(5));
            });
            outer.record("b", "later");
            outer.record("a", 2);
        });
        let messages: Vec<_> = records
            .iter()
            .map(|r| r["message"].as_str().unwrap())
            .collect();
        assert_eq!(messages, ["inside", "inner", "outer"]);
        let [inside, inner, outer] = &records[..] else {
            panic!("there are others")
        };
        assert_eq!(inside["parent"], inner["span"]);
        assert_eq!(inner["parent"], outer["span"]);
        assert_eq!(outer.get("parent"), None);
        assert_eq!(inside.get("span"), None);
        assert_eq!(inside.get("duration"), None);
        assert!(inner["duration"].as_u64().unwrap() >= 5_000_000);
        assert!(outer["duration"].as_u64() >= inner["duration"].as_u64());
        assert_eq!(outer["kind"], "span");
        assert_eq!(outer["level"], 3);
        assert_eq!(outer["target"], "t");
        assert_eq!(outer["fields"], json!([["a", 2], ["b", "later"]]));
    }

    #[test]
    fn levels_are_filtered() {
        let log = || {
            tracing::info_span!("span").in_scope(|| {
                tracing::error!("error");
                tracing::warn!("warn");
                tracing::info!("info");
                tracing::debug!("debug");
                tracing::trace!("trace");
            });
        };
        let count = |level, spans| collect(level, spans, log).len();
        assert_eq!(count(LogLevel::Off, true), 0);
        assert_eq!(count(LogLevel::Error, true), 1);
        assert_eq!(count(LogLevel::Warn, true), 2);
        assert_eq!(count(LogLevel::Info, true), 4);
        assert_eq!(count(LogLevel::Info, false), 3);
        assert_eq!(count(LogLevel::Debug, false), 4);
        assert_eq!(count(LogLevel::Trace, true), 6);
    }

    #[test]
    fn an_event_without_its_span_has_no_parent() {
        let records = collect(LogLevel::Trace, false, || {
            tracing::info_span!("span").in_scope(|| tracing::info!("event"));
        });
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].get("parent"), None);
    }

    #[test]
    fn what_is_hushed_is_not_recorded() {
        let records = collect(LogLevel::Trace, true, || {
            let hush = Hush::new();
            let span = tracing::info_span!("hushed", x = tracing::field::Empty);
            let entered = span.enter();
            span.record("x", 1);
            tracing::error!("hushed, too");
            drop(hush);
            tracing::info!("heard");
            drop(entered);
            drop(span);
            tracing::info_span!("heard, too").in_scope(|| ());
        });
        let messages: Vec<_> = records.iter().map(|r| &r["message"]).collect();
        assert_eq!(messages, ["heard", "heard, too"]);
        assert_eq!(records[0].get("parent"), None, "nobody has heard of it");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let records = collect(LogLevel::Trace, true, || {
            let long = format!("x{}", "ä".repeat(MAX_TEXT));
            tracing::info!(first = "0123456789", second = %long, third = ?long, n = 1, "message");
        });
        let fields = records[0]["fields"].as_array().unwrap();
        let text = |i: usize| fields[i][1].as_str().unwrap();
        assert_eq!(records[0]["message"], "message", "it comes first");
        assert_eq!(text(0), "0123456789");
        let room = MAX_TEXT - "message".len() - text(0).len();
        let cut = text(1).strip_suffix(CUT).unwrap();
        assert!(cut.len() == room || cut.len() == room - 1, "{}", cut.len());
        assert!(cut.ends_with('ä'));
        assert_eq!(text(2), CUT);
        assert_eq!(fields[3], json!(["n", 1]));
    }

    #[test]
    fn a_value_that_logs_while_it_is_formatted_does_no_harm() {
        struct Chatty;
        impl fmt::Debug for Chatty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                tracing::info!("formatting");
                f.write_str("chatty")
            }
        }
        let records = collect(LogLevel::Trace, true, || {
            let span = tracing::info_span!("span", x = tracing::field::Empty);
            let _entered = span.enter();
            span.record("x", tracing::field::debug(Chatty));
        });
        assert_eq!(records[0]["message"], "formatting");
        assert_eq!(records[1]["fields"], json!([["x", "chatty"]]));
    }

    #[test]
    fn fuzz_a_bounded_text_is_a_beginning() {
        fuzz::holds((vec(fuzz::text(), 0..6), 0..60_usize), |(pieces, room)| {
            let whole = pieces.concat();
            let mut bounded = Bounded {
                text: String::new(),
                room,
            };
            let fits = pieces.iter().all(|piece| bounded.write_str(piece).is_ok());
            assert_eq!(fits, whole.len() <= room);
            if fits {
                assert_eq!(bounded.text, whole);
                return assert_eq!(bounded.room, room - whole.len());
            }
            let end = (0..=room)
                .rfind(|end| whole.is_char_boundary(*end))
                .unwrap();
            assert_eq!(bounded.text, format!("{}{CUT}", &whole[..end]));
            assert_eq!(bounded.room, 0);
        });
    }

    #[test]
    fn fuzz_what_is_logged_arrives() {
        let cases = (
            fuzz::text(),
            fuzz::text(),
            any::<f64>(),
            any::<i64>(),
            any::<u64>(),
        );
        fuzz::holds(cases, |(message, text, float, signed, unsigned)| {
            let records = collect(LogLevel::Trace, false, || {
                tracing::info!(target: "t", text, float, signed, unsigned, "{message}");
            });
            assert_eq!(records[0]["message"], message);
            let number = if float.is_finite() {
                json!(float)
            } else {
                json!(float.to_string())
            };
            let fields = json!([
                ["text", text],
                ["float", number],
                ["signed", signed],
                ["unsigned", unsigned]
            ]);
            assert_eq!(records[0]["fields"], fields);
        });
    }
}
