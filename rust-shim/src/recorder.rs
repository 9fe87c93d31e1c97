//! Keeps upstream's metrics: a recorder for the crate `metrics`, with bounded memory.
//!
//! Labels hold handler names, which upstream counts even when no such handler exists, so whoever
//! chooses names chooses how many series there are. Beyond `MAX_SERIES`, or with a key of more than
//! `MAX_KEY_BYTES`, updates are only counted, in a series of our own.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString, Unit as AnyUnit,
};
use serde::Serialize;

use crate::hush;

/// How many series there can be, of all kinds together.
const MAX_SERIES: usize = 10_000;

/// How long name and labels of a series can be, together.
const MAX_KEY_BYTES: usize = 1024;

/// Counts updates that found no room. Like upstream's counters it is there once it has something to
/// tell.
const DROPPED: &str = "dropped_metric_updates_total";

/// The upper bounds of the buckets of every histogram, in microseconds: all of upstream's measure how
/// long something took.
const BOUNDS: [f64; 22] = [
    1e0, 2e0, 5e0, 1e1, 2e1, 5e1, 1e2, 2e2, 5e2, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6,
    2e6, 5e6, 1e7,
];

/// Everything that was recorded.
#[derive(Default)]
pub(crate) struct Recorder {
    counters: Family<AtomicU64>,
    gauges: Family<AtomicU64>, // the bits of an f64
    histograms: Family<Buckets>,
    series: AtomicUsize,
    dropped: AtomicU64,
}

/// The series of one kind.
struct Family<T>(RwLock<HashMap<Key, Arc<T>>>);

impl<T> Default for Family<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Family<T> {
    fn find(&self, key: &Key) -> Option<Arc<T>> {
        let series = self.0.read().unwrap_or_else(PoisonError::into_inner);
        series.get(key).cloned()
    }

    fn all(&self) -> Vec<(Key, Arc<T>)> {
        let series = self.0.read().unwrap_or_else(PoisonError::into_inner);
        series
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Recorder {
    /// The series of a key, which is made if it is new and there is room.
    fn series<T>(&self, family: &Family<T>, key: &Key, make: impl FnOnce() -> T) -> Option<Arc<T>> {
        if let Some(found) = family.find(key) {
            return Some(found);
        }
        let labels = key.labels().map(|l| l.key().len() + l.value().len());
        let fits = key.name().len() + labels.sum::<usize>() <= MAX_KEY_BYTES;
        let mut series = family.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = series.get(key) {
            return Some(found.clone()); // Another thread was faster.
        }
        let one_more = |count| (count < MAX_SERIES).then_some(count + 1);
        let relaxed = Ordering::Relaxed;
        if !fits
            || self
                .series
                .fetch_update(relaxed, relaxed, one_more)
                .is_err()
        {
            self.dropped.fetch_add(1, relaxed);
            return None;
        }
        let made = Arc::new(make());
        series.insert(key.clone(), made.clone());
        Some(made)
    }

    /// All series as JSON, in the form that `hljs_metrics_snapshot` documents.
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        let (counters, gauges, histograms) = (
            self.counters.all(),
            self.gauges.all(),
            self.histograms.all(),
        );
        let mut all: Vec<Series> = Vec::new();
        for (key, counter) in &counters {
            let value = counter.load(Ordering::Relaxed);
            all.push(Series::new(key, "counter", Value::Counter { value }));
        }
        for (key, gauge) in &gauges {
            let value = f64::from_bits(gauge.load(Ordering::Relaxed));
            all.push(Series::new(key, "gauge", Value::Gauge { value }));
        }
        for (key, histogram) in &histograms {
            all.push(Series::new(key, "histogram", histogram.read()));
        }
        let own = Key::from_static_name(DROPPED);
        let value = self.dropped.load(Ordering::Relaxed);
        if value > 0 {
            all.push(Series::new(&own, "counter", Value::Counter { value }));
        }
        all.sort_by(|a, b| (a.name, a.kind, &a.labels).cmp(&(b.name, b.kind, &b.labels)));
        serde_json::to_vec(&all).expect("text and numbers are always JSON")
    }
}

impl metrics::Recorder for Recorder {
    // Upstream describes nothing.
    fn describe_counter(&self, _: KeyName, _: Option<AnyUnit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<AnyUnit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<AnyUnit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if hush::is_hushed() {
            return Counter::noop();
        }
        self.series(&self.counters, key, AtomicU64::default)
            .map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.series(&self.gauges, key, AtomicU64::default)
            .map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        if hush::is_hushed() {
            return Histogram::noop();
        }
        self.series(&self.histograms, key, || Buckets::new(Unit::of(key.name())))
            .map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

/// What a histogram's values are. The crate `metrics` knows units, but upstream does not use them.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Microseconds,
}

impl Unit {
    fn of(name: &str) -> Self {
        if name.ends_with("_seconds") {
            Self::Seconds
        } else {
            Self::Microseconds // hyperlight-js's, whatever their names say
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Microseconds => "microseconds",
        }
    }

    fn microseconds(self) -> f64 {
        match self {
            Self::Seconds => 1e6,
            Self::Microseconds => 1.0,
        }
    }
}

/// A histogram: how many values lie between any two neighbours of `BOUNDS`.
struct Buckets {
    unit: Unit,
    // One lock, so that count, sum and buckets always belong together.
    counted: Mutex<Counted>,
}

#[derive(Clone, Copy, Default)]
struct Counted {
    sum: f64,
    counts: [u64; BOUNDS.len()],
    beyond: u64,
}

impl Buckets {
    fn new(unit: Unit) -> Self {
        Self {
            unit,
            counted: Mutex::default(),
        }
    }

    fn read(&self) -> Value {
        let counted = *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        let buckets = BOUNDS
            .iter()
            .zip(counted.counts)
            .map(|(bound, inside)| {
                count += inside;
                Bucket {
                    upper_bound: bound / self.unit.microseconds(),
                    count,
                }
            })
            .collect();
        Value::Histogram {
            unit: self.unit.name(),
            count: count + counted.beyond,
            sum: counted.sum,
            buckets,
        }
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let microseconds = value * self.unit.microseconds();
        let bucket = BOUNDS.partition_point(|bound| *bound < microseconds);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.sum += value;
        match counted.counts.get_mut(bucket) {
            Some(count) => *count += 1,
            None => counted.beyond += 1,
        }
    }
}

/// A series as it is written.
#[derive(Serialize)]
struct Series<'a> {
    name: &'a str,
    kind: &'static str,
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    value: Value,
}

impl<'a> Series<'a> {
    fn new(key: &'a Key, kind: &'static str, value: Value) -> Self {
        Self {
            name: key.name(),
            kind,
            labels: key.labels().map(|l| (l.key(), l.value())).collect(),
            value,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Counter {
        value: u64,
    },
    Gauge {
        value: f64,
    },
    Histogram {
        unit: &'static str,
        count: u64,
        sum: f64,
        buckets: Vec<Bucket>,
    },
}

#[derive(Serialize)]
struct Bucket {
    upper_bound: f64,
    count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use crate::hush::Hush;
    use metrics::{counter, gauge, histogram, with_local_recorder};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};
    use std::time::Duration;

    fn snapshot(recorder: &Recorder) -> Json {
        serde_json::from_slice(&recorder.snapshot()).expect("it is JSON")
    }

    #[test]
    fn nothing_recorded_is_an_empty_list() {
        assert_eq!(Recorder::default().snapshot(), b"[]");
    }

    #[test]
    fn counters_and_gauges_are_sorted_by_name_and_labels() {
        let recorder = Recorder::default();
        with_local_recorder(&recorder, || {
            counter!("errors_total", "code" => "15").increment(2);
            counter!("errors_total", "code" => "13").increment(1);
            counter!("errors_total", "code" => "15").increment(40);
            gauge!("active").increment(3);
            gauge!("active").decrement(5);
        });
        assert_eq!(
            snapshot(&recorder),
            json!([
                {"name": "active", "kind": "gauge", "labels": {}, "value": -2.0},
                {"name": "errors_total", "kind": "counter", "labels": {"code": "13"}, "value": 1},
                {"name": "errors_total", "kind": "counter", "labels": {"code": "15"}, "value": 42},
            ])
        );
    }

    #[test]
    fn one_name_may_be_of_two_kinds() {
        let recorder = Recorder::default();
        with_local_recorder(&recorder, || {
            gauge!("x").set(1.5);
            counter!("x").increment(u64::MAX);
        });
        assert_eq!(
            snapshot(&recorder),
            json!([
                {"name": "x", "kind": "counter", "labels": {}, "value": u64::MAX},
                {"name": "x", "kind": "gauge", "labels": {}, "value": 1.5},
            ])
        );
    }

    /// What a histogram says of values: unit, count, sum, and the bounds whose bucket is not empty.
    fn distribution(name: &'static str, values: &[f64]) -> (Json, u64, f64, Vec<f64>) {
        let recorder = Recorder::default();
        with_local_recorder(&recorder, || {
            for value in values {
                histogram!(name).record(*value);
            }
        });
        let all = snapshot(&recorder);
        let found = &all[0];
        assert_eq!(found["kind"], "histogram");
        let mut before = 0;
        let mut used = Vec::new();
        for bucket in found["buckets"].as_array().unwrap() {
            let count = bucket["count"].as_u64().unwrap();
            assert!(count >= before, "the counts add up");
            if count > before {
                used.push(bucket["upper_bound"].as_f64().unwrap());
            }
            before = count;
        }
        let number = |name: &str| found[name].as_f64().unwrap();
        (
            found["unit"].clone(),
            number("count") as u64,
            number("sum"),
            used,
        )
    }

    #[test]
    fn buckets_are_bounded_from_above_and_add_up() {
        let (unit, count, sum, used) = distribution(
            "event_handler_calls_total",
            &[0.0, 1.0, 1.5, 2.0, 700.0, 1e7, 2e7],
        );
        assert_eq!(unit, "microseconds");
        assert_eq!(count, 7, "values beyond all bounds are counted");
        assert_eq!(sum, 30_000_704.5);
        assert_eq!(used, [1.0, 2.0, 1000.0, 1e7]);
    }

    #[test]
    fn seconds_have_buckets_in_seconds() {
        let seconds = Duration::from_micros(15).as_secs_f64();
        let (unit, count, sum, used) =
            distribution("guest_call_duration_seconds", &[seconds, 0.25, 10.0, 11.0]);
        assert_eq!((unit, count), (json!("seconds"), 4));
        assert!((sum - 21.250_015).abs() < 1e-9, "{sum}");
        assert_eq!(used, [0.00002, 0.5, 10.0]);
    }

    #[test]
    fn only_gauges_hear_what_is_hushed() {
        let recorder = Recorder::default();
        with_local_recorder(&recorder, || {
            let record = || {
                counter!("c").increment(1);
                histogram!("h").record(1.0);
                gauge!("g").increment(1);
            };
            let hush = Hush::new();
            record();
            drop(hush);
            let all = snapshot(&recorder);
            assert_eq!(all.as_array().unwrap().len(), 1);
            assert_eq!(
                (&all[0]["name"], &all[0]["value"]),
                (&json!("g"), &json!(1.0))
            );
            record();
        });
        let all = snapshot(&recorder);
        assert_eq!(all[0]["value"], 1);
        assert_eq!(all[1]["value"], 2.0);
        assert_eq!(all[2]["count"], 1);
    }

    #[test]
    fn series_are_bounded() {
        let recorder = Recorder::default();
        with_local_recorder(&recorder, || {
            for i in 0..MAX_SERIES + 5 {
                histogram!("calls", "name" => i.to_string()).record(1.0);
            }
            counter!("late").increment(1);
            gauge!("late").increment(1);
            histogram!("calls", "name" => "7").record(1.0);
        });
        let all = snapshot(&recorder);
        let all = all.as_array().unwrap();
        assert_eq!(all.len(), MAX_SERIES + 1);
        let value = |name: &str, key: &str| {
            let found = all
                .iter()
                .find(|s| s["name"] == name || s["labels"]["name"] == name);
            found.map(|s| s[key].clone())
        };
        assert_eq!(value(DROPPED, "value"), Some(json!(7)));
        assert_eq!(value("7", "count"), Some(json!(2)), "old series go on");
        assert_eq!(value("late", "value"), None);
    }

    #[test]
    fn long_labels_are_not_kept() {
        let recorder = Recorder::default();
        with_local_recorder(&recorder, || {
            let name = |len| "x".repeat(len);
            counter!("calls", "n" => name(MAX_KEY_BYTES - 6)).increment(1);
            counter!("calls", "n" => name(MAX_KEY_BYTES - 5)).increment(1);
        });
        let all = snapshot(&recorder);
        assert_eq!(all.as_array().unwrap().len(), 2);
        assert_eq!(all[1]["name"], DROPPED);
    }

    #[test]
    fn threads_lose_nothing() {
        let recorder = Recorder::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    with_local_recorder(&recorder, || {
                        for i in 0..1000 {
                            histogram!("calls", "name" => (i % 10).to_string()).record(1.0);
                            gauge!("active").increment(1);
                        }
                    });
                });
            }
        });
        let all = snapshot(&recorder);
        assert_eq!(all[0]["value"], 8000.0);
        for series in &all.as_array().unwrap()[1..] {
            assert_eq!(series["count"], 800);
        }
        assert_eq!(all.as_array().unwrap().len(), 11);
    }

    // Names of handlers are labels, and anybody's.
    #[test]
    fn fuzz_labels_are_kept_as_they_are() {
        let name = prop_oneof![
            fuzz::text(),
            Just("h".to_owned()),
            fuzz::text().prop_map(|t| t.repeat(40))
        ];
        fuzz::holds(vec((name, 1..1000_u64), 0..20), |updates| {
            let recorder = Recorder::default();
            let (mut kept, mut dropped) = (BTreeMap::new(), 0);
            with_local_recorder(&recorder, || {
                for (name, value) in updates {
                    counter!("calls", "name" => name.clone()).increment(value);
                    match "calls".len() + "name".len() + name.len() <= MAX_KEY_BYTES {
                        true => *kept.entry(name).or_insert(0) += value,
                        false => dropped += 1,
                    }
                }
            });
            let mut expected: Vec<_> = kept
                .iter()
                .map(|(name, value)| json!({"name": "calls", "kind": "counter", "labels": {"name": name}, "value": value}))
                .collect();
            if dropped > 0 {
                expected.push(
                    json!({"name": DROPPED, "kind": "counter", "labels": {}, "value": dropped}),
                );
            }
            assert_eq!(snapshot(&recorder), Json::from(expected));
        });
    }

    #[test]
    fn fuzz_a_histogram_counts_each_value_once() {
        let value = prop_oneof![0.0..3e7, proptest::sample::select(&BOUNDS[..])];
        fuzz::holds(vec(value, 0..40), |values| {
            let buckets = Buckets::new(Unit::Microseconds);
            values.iter().for_each(|value| buckets.record(*value));
            let Value::Histogram {
                count,
                sum,
                buckets,
                ..
            } = buckets.read()
            else {
                panic!("it is a histogram");
            };
            assert_eq!(count, values.len() as u64);
            assert_eq!(sum, values.iter().sum::<f64>());
            for bucket in buckets {
                let below = values
                    .iter()
                    .filter(|value| **value <= bucket.upper_bound)
                    .count();
                assert_eq!(bucket.count, below as u64, "up to {}", bucket.upper_bound);
            }
        });
    }
}
