//! What the last call took, readable while the next one runs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyperlight_js::ExecutionStats;

use crate::ffi;
use crate::interrupt::Cause;

/// The statistics of a sandbox's last call.
#[derive(Default)]
pub(crate) struct LastCall(Mutex<Stats>);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stats {
    /// How many calls there were; 0 means that the rest is empty.
    pub calls: u64,
    pub wall_clock: Duration,
    pub cpu_time: Option<Duration>,
    pub terminated_by: Option<&'static str>,
}

impl Stats {
    /// Adds another call's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cpu_time = match self.calls {
            0 => other.cpu_time,
            _ => self.cpu_time.zip(other.cpu_time).map(|(a, b)| a + b),
        };
        self.calls += 1;
        self.wall_clock += other.wall_clock;
        self.terminated_by = other.terminated_by.or(self.terminated_by);
    }

    /// Hands them to C, which may want only some.
    pub(crate) fn give(
        &self,
        calls: *mut u64,
        wall_clock: *mut u64,
        cpu_time: *mut u64,
        has_cpu_time: *mut u32,
        terminated_by: *mut *const u8,
        terminated_by_len: *mut usize,
    ) {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        ffi::set_if_wanted(calls, self.calls);
        ffi::set_if_wanted(wall_clock, nanoseconds(self.wall_clock));
        ffi::set_if_wanted(cpu_time, self.cpu_time.map_or(0, nanoseconds));
        ffi::set_if_wanted(has_cpu_time, self.cpu_time.is_some().into());
        let name = self.terminated_by.unwrap_or("");
        ffi::lend(name.as_bytes(), terminated_by, terminated_by_len);
    }
}

impl LastCall {
    /// Takes over what upstream measured in a call that has just ended.
    pub(crate) fn record(&self, measured: Option<&ExecutionStats>, cause: Option<Cause>) {
        let Some(measured) = measured else { return };
        let mut stats = self.lock();
        *stats = Stats {
            calls: stats.calls + 1,
            wall_clock: measured.wall_clock,
            cpu_time: measured.cpu_time,
            // Upstream learns of it from its own task, which a repeated kill may outrun.
            terminated_by: match cause {
                Some(Cause::Monitor(name)) => Some(name),
                _ => None,
            },
        };
    }

    pub(crate) fn get(&self) -> Stats {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Stats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_know_what_their_parts_know() {
        let event = |cpu_time, terminated_by| Stats {
            calls: 9,
            wall_clock: Duration::from_millis(3),
            cpu_time,
            terminated_by,
        };
        let two = Some(Duration::from_millis(2));
        let mut sum = Stats::default();
        sum.add(&event(two, None));
        assert_eq!(
            sum,
            Stats {
                calls: 1,
                ..event(two, None)
            }
        );
        sum.add(&event(two, Some("quota")));
        sum.add(&event(None, None));
        assert_eq!((sum.calls, sum.wall_clock), (3, Duration::from_millis(9)));
        assert_eq!((sum.cpu_time, sum.terminated_by), (None, Some("quota")));
    }

    #[test]
    fn each_call_replaces_the_last() {
        let last = LastCall::default();
        assert_eq!(last.get(), Stats::default());
        last.record(None, None);
        assert_eq!(last.get().calls, 0);
        let measured = ExecutionStats {
            wall_clock: Duration::from_millis(3),
            cpu_time: Some(Duration::from_millis(2)),
            terminated_by: None,
        };
        last.record(Some(&measured), Some(Cause::Monitor("wall-clock")));
        let stats = last.get();
        assert_eq!((stats.calls, stats.wall_clock), (1, measured.wall_clock));
        assert_eq!(stats.terminated_by, Some("wall-clock"));
        last.record(Some(&measured), Some(Cause::Interrupt));
        assert_eq!((last.get().calls, last.get().terminated_by), (2, None));
    }
}
