//! What the last call took, readable while the next one runs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyperlight_js::ExecutionStats;

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
