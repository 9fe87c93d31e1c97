//! How all workloads are timed, chosen and printed.

use std::time::{Duration, Instant};

use hyperlight_js::{Result, new_error};

/// What the command line and the environment ask for.
pub struct Harness {
    wanted: Vec<String>,
    scale: u32,
    started: Instant,
}

impl Harness {
    /// The arguments are names of workloads; none means all. BENCH_SCALE multiplies the operations.
    pub fn new() -> Self {
        let scale = std::env::var("BENCH_SCALE").ok();
        Self {
            wanted: std::env::args().skip(1).collect(),
            scale: scale.and_then(|text| text.parse().ok()).unwrap_or(1),
            started: Instant::now(),
        }
    }

    /// Since the program began.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Runs a workload if it is wanted, and prints the value of one operation.
    pub fn measure(
        &self,
        name: &str,
        unit: &str,
        workload: impl FnOnce() -> Result<f64>,
    ) -> Result<()> {
        if self.wanted.is_empty() || self.wanted.iter().any(|wanted| wanted == name) {
            let value = workload().map_err(|error| new_error!("{name}: {error}"))?;
            println!("{name}\t{unit}\t{value:.1}");
        }
        Ok(())
    }

    /// The mean time of an operation, in nanoseconds.
    pub fn each(
        &self,
        warm_up: u32,
        operations: u32,
        mut operation: impl FnMut() -> Result<()>,
    ) -> Result<f64> {
        for _ in 0..warm_up {
            operation()?;
        }
        let operations = operations * self.scale;
        let start = Instant::now();
        for _ in 0..operations {
            operation()?;
        }
        Ok(start.elapsed().as_nanos() as f64 / f64::from(operations))
    }

    /// The mean time of what counts of an operation, which says itself how long that took.
    pub fn part(
        &self,
        warm_up: u32,
        operations: u32,
        mut operation: impl FnMut() -> Result<Duration>,
    ) -> Result<f64> {
        for _ in 0..warm_up {
            operation()?;
        }
        let operations = operations * self.scale;
        let mut total = Duration::ZERO;
        for _ in 0..operations {
            total += operation()?;
        }
        Ok(total.as_nanos() as f64 / f64::from(operations))
    }
}
