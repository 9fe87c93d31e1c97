//! Calls: warm ones, upstream's series, sizes, monitors.

use std::time::Duration;

use hyperlight_js::{CpuTimeMonitor, LoadedJSSandbox, MonitorSet, Result, WallClockMonitor};

use crate::harness::Harness;
use crate::sandboxes::{ECHO, EVENT, REDIRECT, REQUEST, call, start};

/// So long that it never fires.
const LIMIT: Duration = Duration::from_secs(5);

pub fn measure(harness: &Harness) -> Result<()> {
    for gc in [false, true] {
        harness.measure(&format!("warm_gc_{gc}"), "ns", || {
            let mut loaded = start(ECHO)?;
            harness.each(200, 1000, || call(&mut loaded, EVENT, gc))
        })?;
    }
    for (suffix, gc) in [("with_gc", true), ("without_gc", false)] {
        for events in [1, 2, 5, 10] {
            let name = format!("handle_{events}_events_{suffix}");
            harness.measure(&name, "ns", || series(harness, events, gc))?;
            let name = format!("handle_{events}_events_with_restore_{suffix}");
            harness.measure(&name, "ns", || series_with_restore(harness, events, gc))?;
        }
    }
    for (name, bytes, warm_up, operations) in [
        ("event_100b", 100, 50, 300),
        ("event_1kb", 1_000, 50, 300),
        ("event_10kb", 10_000, 10, 50),
        ("event_100kb", 100_000, 10, 80),
        ("event_1mb", 1_000_000, 1, 3),
    ] {
        harness.measure(name, "ns", || {
            let mut loaded = start(ECHO)?;
            let event = event_of(bytes);
            harness.each(warm_up, operations, || call(&mut loaded, &event, false))
        })?;
    }
    monitors(harness)
}

fn series(harness: &Harness, events: u32, gc: bool) -> Result<f64> {
    let mut loaded = start(REDIRECT)?;
    harness.each(20, 100, || {
        for _ in 0..events {
            call(&mut loaded, REQUEST, gc)?;
        }
        Ok(())
    })
}

fn series_with_restore(harness: &Harness, events: u32, gc: bool) -> Result<f64> {
    let mut loaded = start(REDIRECT)?;
    let snapshot = loaded.snapshot()?;
    harness.each(3, 15, || {
        for _ in 0..events {
            call(&mut loaded, REQUEST, gc)?;
            loaded.restore(snapshot.clone())?;
        }
        Ok(())
    })
}

/// JSON of so many bytes.
fn event_of(bytes: usize) -> String {
    let (head, tail) = (r#"{"text":""#, r#""}"#);
    format!(
        "{head}{}{tail}",
        "x".repeat(bytes - head.len() - tail.len())
    )
}

fn monitors(harness: &Harness) -> Result<()> {
    let wall = WallClockMonitor::new(LIMIT)?;
    let cpu = CpuTimeMonitor::new(LIMIT)?;
    harness.measure("handle_event_no_monitor", "ns", || {
        let mut loaded = start(REDIRECT)?;
        harness.each(100, 500, || call(&mut loaded, REQUEST, true))
    })?;
    harness.measure("handle_event_wall_clock", "ns", || {
        monitored(harness, &wall)
    })?;
    harness.measure("handle_event_cpu_time", "ns", || monitored(harness, &cpu))?;
    harness.measure("handle_event_wall_and_cpu", "ns", || {
        monitored(
            harness,
            &(WallClockMonitor::new(LIMIT)?, CpuTimeMonitor::new(LIMIT)?),
        )
    })?;
    // A limit of the call's own, as a context's deadline is in Go.
    harness.measure("deadline", "ns", || {
        let mut loaded = start(REDIRECT)?;
        harness.each(100, 500, || {
            call_monitored(&mut loaded, &WallClockMonitor::new(LIMIT)?)
        })
    })
}

fn monitored(harness: &Harness, monitors: &impl MonitorSet) -> Result<f64> {
    let mut loaded = start(REDIRECT)?;
    harness.each(100, 500, || call_monitored(&mut loaded, monitors))
}

fn call_monitored(loaded: &mut LoadedJSSandbox, monitors: &impl MonitorSet) -> Result<()> {
    loaded.handle_event_with_monitor("handler", REQUEST.to_string(), monitors, Some(true))?;
    Ok(())
}
