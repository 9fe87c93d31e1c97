//! Upstream's metrics, collected for the process.

use std::sync::{LazyLock, Mutex, PoisonError};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::recorder::Recorder;

static RECORDER: LazyLock<Recorder> = LazyLock::new(Recorder::default);
static GATE: Gate = Gate(Mutex::new(Stage::Before));

/// Whether metrics can still be installed. Upstream counts sandboxes up and down, so a recorder that
/// comes after the first one would count below zero.
struct Gate(Mutex<Stage>);

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// There is neither a sandbox nor a recorder.
    Before,
    /// There was a sandbox first.
    TooLate,
    /// Metrics are recorded.
    Installed,
}

impl Gate {
    fn pass(&self) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *stage == Stage::Before {
            *stage = Stage::TooLate;
        }
    }

    fn install(&self, install: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *stage {
            Stage::Installed => return Ok(()),
            Stage::TooLate => {
                return Err(Error::new(
                    Code::TelemetryTooLate,
                    "metrics must be installed before the first sandbox",
                ));
            }
            Stage::Before => install()?,
        }
        *stage = Stage::Installed;
        Ok(())
    }

    fn is_installed(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Stage::Installed
    }
}

/// Must be called before upstream makes a sandbox.
pub(crate) fn before_sandbox() {
    GATE.pass();
}

/// Starts to record upstream's metrics, for the whole process and as long as it lives. Must come before
/// the first call that builds a sandbox, or fails with `HLJS_CODE_TELEMETRY_TOO_LATE`. Once it has
/// succeeded, calling it again does nothing. Without it nothing is recorded and nothing is paid for.
///
/// At most 10,000 series are kept, with at most 1,024 bytes of name and labels each. Further ones are
/// not recorded; the counter `dropped_metric_updates_total` counts what they miss.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_metrics_install(error: *mut *mut Error) -> Code {
    ffi::guard(error, || {
        GATE.install(|| {
            metrics::set_global_recorder(&*RECORDER)
                .map_err(|_| Error::new(Code::Internal, "another metrics recorder is installed"))
        })
    })
}

/// Gives all series that were updated at least once, as JSON: a list sorted by name, kind and
/// labels. `HLJS_CODE_METRICS_DISABLED` unless metrics are installed. The caller frees the bytes.
///
/// Each element is an object with `name`; `kind`, which is "counter", "gauge" or "histogram"; and
/// `labels`, an object of texts. Counters and gauges have `value`, a number. Histograms have `unit`,
/// which is "seconds" or "microseconds"; `count` and `sum` of all values; and `buckets`, a list of
/// objects with `upper_bound` in that unit and `count`, the number of values up to that bound, in
/// ascending order. Values beyond the last bound are in the histogram's `count` only. One
/// histogram's numbers belong to one moment; those of two series may not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_metrics_snapshot(
    json: *mut *mut u8,
    len: *mut usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let json = Out::new(json, "json")?;
        let len = Out::new(len, "len")?;
        if !GATE.is_installed() {
            return Err(Error::new(
                Code::MetricsDisabled,
                "metrics are not installed",
            ));
        }
        ffi::give_bytes(RECORDER.snapshot(), json, len);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate(Mutex::new(Stage::Before))
    }

    #[test]
    fn metrics_come_before_sandboxes() {
        let gate = gate();
        assert!(!gate.is_installed());
        gate.install(|| Ok(())).unwrap();
        gate.pass();
        gate.install(|| panic!("only once")).unwrap();
        assert!(gate.is_installed());
    }

    #[test]
    fn after_a_sandbox_it_is_too_late() {
        let gate = gate();
        gate.pass();
        let error = gate.install(|| panic!("never")).unwrap_err();
        assert_eq!(error.code(), Code::TelemetryTooLate);
        assert!(!gate.is_installed());
    }

    #[test]
    fn a_failed_installation_changes_nothing() {
        let gate = gate();
        let fail = || Err(Error::new(Code::Internal, "another"));
        assert_eq!(gate.install(fail).unwrap_err().code(), Code::Internal);
        assert!(!gate.is_installed());
        gate.install(|| Ok(())).unwrap();
    }

    #[test]
    fn outputs_are_checked() {
        let mut error = std::ptr::null_mut();
        // SAFETY: NULL is what is being tried, and `error` is a live local.
        let code = unsafe {
            hljs_metrics_snapshot(std::ptr::null_mut(), std::ptr::null_mut(), &mut error)
        };
        assert_eq!(code, Code::InvalidArgument);
        ffi::free(error);
    }
}
