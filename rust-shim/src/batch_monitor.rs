//! Monitors of a whole batch. Upstream's begin anew with each event, so each event gets what is left of them.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::interrupt::Cause;
use crate::monitor::{Kind, Monitor};

/// A monitor that began with its batch, on the thread that runs it.
pub(crate) struct BatchMonitor {
    /// The monitor as it was then. If it is a trigger, it was armed then.
    kind: Kind,
    wall_clock: Instant,
    cpu_time: Duration,
}

impl BatchMonitor {
    pub(crate) fn begin(monitor: &Monitor) -> Self {
        Self {
            kind: match monitor.kind() {
                Kind::Trigger(trigger) => Kind::Trigger(trigger.arm()),
                limit => limit.clone(),
            },
            wall_clock: Instant::now(),
            cpu_time: cpu_time(),
        }
    }

    /// What is left for the next event. It fails if nothing is, or the trigger was fired.
    pub(crate) fn rest(&self) -> Result<Monitor> {
        let rest = match &self.kind {
            // Upstream has no monitors without any time.
            Kind::WallClock(_, limit) => {
                Kind::wall_clock(limit.saturating_sub(self.wall_clock.elapsed())).ok()
            }
            Kind::CpuTime(_, limit) => {
                let used = cpu_time().saturating_sub(self.cpu_time);
                Kind::cpu_time(limit.saturating_sub(used)).ok()
            }
            Kind::Trigger(trigger) => (!trigger.is_fired()).then(|| self.kind.clone()),
        };
        rest.map(Monitor::new).ok_or_else(|| {
            let name = self.kind.name();
            let message = format!("the batch was over for its monitor '{name}' between two events");
            Error::new(Code::Cancelled, message).stopped_by(Some(Cause::Refusal(name)))
        })
    }
}

/// How much processor time this thread has taken. The clock is there on every Linux.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trigger::Trigger;

    const LONG: Duration = Duration::from_secs(3600);

    fn begin(kind: Kind) -> BatchMonitor {
        BatchMonitor::begin(&Monitor::new(kind))
    }

    fn left(monitor: &BatchMonitor) -> Duration {
        match monitor.rest().unwrap().kind() {
            Kind::WallClock(_, limit) | Kind::CpuTime(_, limit) => *limit,
            Kind::Trigger(_) => panic!("a trigger has no limit"),
        }
    }

    fn is_over(monitor: &BatchMonitor, name: &str) {
        let error = monitor.rest().err().unwrap();
        assert_eq!(error.code(), Code::Cancelled);
        assert_eq!(error.monitor(), Some(name));
        assert!(error.message().contains(name));
    }

    #[test]
    fn limits_shrink_until_they_are_used_up() {
        for (make, name) in [
            (
                Kind::wall_clock as fn(Duration) -> hyperlight_js::Result<Kind>,
                "wall-clock",
            ),
            (Kind::cpu_time, "cpu-time"),
        ] {
            let long = begin(make(LONG).unwrap());
            let short = begin(make(Duration::from_millis(1)).unwrap());
            while short.rest().is_ok() {} // It takes both kinds of time.
            is_over(&short, name);
            let rest = left(&long);
            assert!(rest < LONG - Duration::from_millis(1) && rest > LONG / 2);
            assert!(left(&begin(make(Duration::MAX).unwrap())) > LONG);
        }
    }

    #[test]
    fn a_trigger_that_was_reset_has_fired_all_the_same() {
        let trigger = Trigger::new("test: batch").unwrap();
        let batch = begin(Kind::Trigger(trigger.clone()));
        assert!(batch.rest().is_ok());
        trigger.fire();
        is_over(&batch, "test: batch");
        is_over(&begin(Kind::Trigger(trigger.clone())), "test: batch");
        trigger.reset();
        is_over(&batch, "test: batch");
        assert!(begin(Kind::Trigger(trigger)).rest().is_ok());
    }
}
