//! From nothing to an answer: cold start, loading, unloading, memory.

use std::fs;
use std::time::Instant;

use hyperlight_js::{Result, Script, new_error};

use crate::harness::Harness;
use crate::sandboxes::{ECHO, EVENT, REDIRECT, REQUEST, boot, call, library, start};

pub fn measure(harness: &Harness) -> Result<()> {
    harness.measure("cold_start", "ns", || {
        let mut loaded = start(ECHO)?;
        call(&mut loaded, EVENT, true)?;
        Ok(harness.started().elapsed().as_nanos() as f64)
    })?;
    harness.measure("memory_per_sandbox", "KiB", || {
        const SANDBOXES: u32 = 4;
        let mut all = vec![start(ECHO)?];
        call(&mut all[0], EVENT, true)?;
        let before = resident()?;
        for _ in 0..SANDBOXES {
            all.push(start(ECHO)?);
            call(all.last_mut().expect("just added"), EVENT, true)?;
        }
        Ok((resident()? - before) / f64::from(SANDBOXES))
    })?;
    for handlers in [1, 2, 5, 10] {
        let plural = if handlers == 1 { "" } else { "s" };
        for (suffix, snapshot) in [("", false), ("_with_snapshot", true)] {
            let name = format!("jsload_{handlers}_handler{plural}{suffix}");
            harness.measure(&name, "ns", || jsload(harness, handlers, snapshot))?;
        }
    }
    harness.measure("build_and_load_runtime", "ns", || {
        harness.each(1, 4, || boot().map(drop))
    })?;
    harness.measure("add_load_handle_unload", "ns", || {
        add_load_handle_unload(harness)
    })?;
    harness.measure("add_load_call_40kb", "ns", || add_load_call(harness))
}

fn jsload(harness: &Harness, handlers: u32, snapshot: bool) -> Result<f64> {
    let mut sandbox = Some(boot()?);
    let script = Script::from_content(REDIRECT);
    harness.part(2, 10, || {
        let mut unloaded = sandbox.take().expect("put back below");
        let begin = Instant::now();
        for i in 0..handlers {
            unloaded.add_handler(format!("function{i}"), script.clone())?;
        }
        let mut loaded = unloaded.get_loaded_sandbox()?;
        if snapshot {
            loaded.snapshot()?;
        }
        let elapsed = begin.elapsed();
        sandbox = Some(loaded.unload()?);
        Ok(elapsed)
    })
}

fn add_load_handle_unload(harness: &Harness) -> Result<f64> {
    let mut sandbox = Some(boot()?);
    let script = Script::from_content(REDIRECT);
    harness.each(3, 20, || {
        let mut unloaded = sandbox.take().expect("put back below");
        unloaded.add_handler("handler", script.clone())?;
        let mut loaded = unloaded.get_loaded_sandbox()?;
        call(&mut loaded, REQUEST, true)?;
        sandbox = Some(loaded.unload()?);
        Ok(())
    })
}

/// What `snapshot_file` is compared with: unloading is not counted.
fn add_load_call(harness: &Harness) -> Result<f64> {
    let mut sandbox = Some(boot()?);
    let script = Script::from_content(library());
    harness.part(1, 5, || {
        let mut unloaded = sandbox.take().expect("put back below");
        let begin = Instant::now();
        unloaded.add_handler("handler", script.clone())?;
        let mut loaded = unloaded.get_loaded_sandbox()?;
        call(&mut loaded, EVENT, true)?;
        let elapsed = begin.elapsed();
        sandbox = Some(loaded.unload()?);
        Ok(elapsed)
    })
}

/// The process's resident memory, in KiB.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .ok_or_else(|| new_error!("/proc/self/status has no VmRSS"))
}
