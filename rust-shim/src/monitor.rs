//! `hljs_monitor`: what ends a call that goes too far. Upstream's own monitors, and the trigger.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use hyperlight_js::{
    CpuTimeMonitor, ExecutionMonitor, HyperlightError, LoadedJSSandbox, WallClockMonitor,
};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::hush::Hush;
use crate::interrupt::Gate;
use crate::monitor_threads;
use crate::repeater;
use crate::signal;
use crate::trigger::Trigger;

/// A limit that a call must keep, or a trigger that ends it. May be used by any number of calls, sandboxes
/// and threads at a time.
pub struct Monitor(Kind);

/// What there is: upstream's monitors with their limits, and the trigger. Clones fire together.
#[derive(Clone)]
pub(crate) enum Kind {
    WallClock(WallClockMonitor, Duration),
    CpuTime(CpuTimeMonitor, Duration),
    Trigger(Trigger),
}

impl Monitor {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(kind)
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }

    /// This monitor, for one call. It holds what it needs: C may free the monitor meanwhile.
    pub(crate) fn guard(&self, gate: Gate) -> Guarded {
        Guarded {
            kind: self.0.clone(),
            gate,
        }
    }

    fn trigger(&self) -> Result<&Trigger> {
        match &self.0 {
            Kind::Trigger(trigger) => Ok(trigger),
            _ => Err(Error::invalid_argument("the monitor is not a trigger")),
        }
    }
}

impl Kind {
    /// Upstream refuses a limit of zero.
    pub(crate) fn wall_clock(limit: Duration) -> hyperlight_js::Result<Self> {
        Ok(Self::WallClock(WallClockMonitor::new(limit)?, limit))
    }

    /// Upstream refuses a limit of zero.
    pub(crate) fn cpu_time(limit: Duration) -> hyperlight_js::Result<Self> {
        Ok(Self::CpuTime(CpuTimeMonitor::new(limit)?, limit))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::WallClock(monitor, _) => monitor.name(),
            Self::CpuTime(monitor, _) => monitor.name(),
            Self::Trigger(trigger) => trigger.name(),
        }
    }
}

/// A monitor of one call, which can stop that call and no other.
pub(crate) struct Guarded {
    kind: Kind,
    gate: Gate,
}

type Future = Pin<Box<dyn std::future::Future<Output = ()> + Send>>;

impl ExecutionMonitor for &Guarded {
    fn get_monitor(
        &self,
    ) -> hyperlight_js::Result<impl std::future::Future<Output = ()> + Send + 'static> {
        let name = self.kind.name();
        let monitor: Future = match &self.kind {
            Kind::WallClock(monitor, _) => Box::pin(monitor.get_monitor()?),
            Kind::CpuTime(monitor, _) => Box::pin(monitor.get_monitor()?),
            Kind::Trigger(trigger) => match trigger.wait() {
                Some(future) => Box::pin(future),
                None => {
                    self.gate.refuse(name);
                    return Err(HyperlightError::Error(format!(
                        "the trigger '{name}' has fired"
                    )));
                }
            },
        };
        let gate = self.gate.clone();
        Ok(async move {
            monitor.await;
            // Upstream kills the guest as soon as this future completes.
            if !gate.pass(name) {
                std::future::pending().await
            }
        })
    }

    fn name(&self) -> &'static str {
        self.kind.name()
    }
}

/// How many monitors upstream takes.
const MOST: usize = 5;

/// The monitors that C passes to a call.
pub(crate) fn list<'a>(
    monitors: *const *const Monitor,
    monitors_len: usize,
    name: &str,
) -> Result<Vec<&'a Monitor>> {
    check_number(monitors_len)?;
    ffi::objects(monitors, monitors_len, name)
}

pub(crate) fn check_number(monitors: usize) -> Result<()> {
    if monitors > MOST {
        return Err(Error::invalid_argument(format!(
            "there are {monitors} monitors, but a call takes at most {MOST}"
        )));
    }
    Ok(())
}

/// Calls the handler with all monitors on watch; the first to fire ends it.
pub(crate) fn handle_event(
    sandbox: &mut LoadedJSSandbox,
    name: &str,
    event: String,
    gc: bool,
    monitors: &[Guarded],
) -> hyperlight_js::Result<String> {
    let gc = Some(gc);
    // Upstream takes tuples.
    match monitors {
        [] => sandbox.handle_event(name, event, gc),
        [a] => sandbox.handle_event_with_monitor(name, event, &a, gc),
        [a, b] => sandbox.handle_event_with_monitor(name, event, &(a, b), gc),
        [a, b, c] => sandbox.handle_event_with_monitor(name, event, &(a, b, c), gc),
        [a, b, c, d] => sandbox.handle_event_with_monitor(name, event, &(a, b, c, d), gc),
        [a, b, c, d, e] => sandbox.handle_event_with_monitor(name, event, &(a, b, c, d, e), gc),
        _ => Err(HyperlightError::Error("too many monitors".to_owned())), // `list` lets none get here.
    }
}

/// How upstream begins to tell that it refused to run a handler that it cannot monitor: a monitor failed, or there are
/// no threads for any.
const START_FAILURE: &str = "Execution monitor failed to start: ";
const NO_RUNTIME: &str = "Monitor runtime is unavailable";

/// Whether upstream refused to run a handler because it cannot monitor it.
pub(crate) fn is_start_failure(error: &HyperlightError) -> bool {
    matches!(error, HyperlightError::Error(text) if text.starts_with(START_FAILURE) || text == NO_RUNTIME)
}

/// Makes sure that what a monitored call needs is there: the thread that repeats kills, and upstream's
/// runtime.
///
/// Upstream starts its threads in the first monitored call, panics when it cannot, and would leave a
/// sandbox in disorder. So that call is made here: without a JSON event it ends before it enters the
/// guest, with an error that is nobody's and must not be in the logs. The threads inherit the shield, so that
/// signals for the process go to threads that expect them.
pub(crate) fn prepare(sandbox: &mut LoadedJSSandbox) -> Result<()> {
    static RUNTIME: OnceLock<std::result::Result<(), String>> = OnceLock::new();

    repeater::start().map_err(|e| start_failure(format!("{START_FAILURE}{e}")))?;
    if RUNTIME.get().is_none() {
        monitor_threads::check().map_err(|e| start_failure(format!("{NO_RUNTIME}: {e}")))?;
    }
    RUNTIME
        .get_or_init(|| {
            let _shield = signal::Shield::new();
            let _hush = Hush::new();
            // Unwind safety: it panics before it touches the sandbox.
            let attempt = catch_unwind(AssertUnwindSafe(|| {
                sandbox.handle_event_with_monitor("-", String::new(), &Never, None)
            }));
            match attempt {
                Err(panic) => Err(format!("{NO_RUNTIME}: {}", ffi::panic_text(panic.as_ref()))),
                Ok(Err(error)) if is_start_failure(&error) => Err(error.to_string()),
                Ok(_) => Ok(()),
            }
        })
        .clone()
        .map_err(start_failure)
}

fn start_failure(message: String) -> Error {
    Error::new(Code::MonitorFailedToStart, message)
}

/// A monitor that never fires.
struct Never;

impl ExecutionMonitor for Never {
    fn get_monitor(
        &self,
    ) -> hyperlight_js::Result<impl std::future::Future<Output = ()> + Send + 'static> {
        Ok(std::future::pending())
    }

    fn name(&self) -> &'static str {
        "never"
    }
}

/// Makes a monitor of the time that a call takes, host functions included. Its name is "wall-clock".
/// `HLJS_CODE_INVALID_ARGUMENT` for zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_new_wall_clock(
    nanoseconds: u64,
    monitor: *mut *mut Monitor,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        give(monitor, || {
            Kind::wall_clock(Duration::from_nanos(nanoseconds)).map_err(invalid)
        })
    })
}

/// Makes a monitor of the processor time of the thread that makes the call, callbacks on this thread
/// included. Its name is "cpu-time". It is read every 1 to 10 ms. `HLJS_CODE_INVALID_ARGUMENT` for zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_new_cpu_time(
    nanoseconds: u64,
    monitor: *mut *mut Monitor,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        give(monitor, || {
            Kind::cpu_time(Duration::from_nanos(nanoseconds)).map_err(invalid)
        })
    })
}

/// Makes a monitor that fires when it is told to, with `hljs_monitor_fire`, and stays fired until
/// `hljs_monitor_reset`. A call that is given a fired trigger does not run: it fails with
/// `HLJS_CODE_CANCELLED`, and the sandbox stays as it was.
///
/// The name, 1 to 64 bytes, is what errors, statistics and metrics say; several triggers may share one. Not
/// allowed are "wall-clock", "cpu-time", "interrupt" and "context". Names are kept for ever, so a process
/// can have 64 of them: `HLJS_CODE_TOO_MANY_TRIGGERS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_new_trigger(
    name: *const u8,
    name_len: usize,
    monitor: *mut *mut Monitor,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let name = ffi::text(name, name_len, "the trigger name")?;
        give(monitor, || Ok(Kind::Trigger(Trigger::new(name)?)))
    })
}

/// Fires a trigger: it ends all calls that run with it. Does not wait for their end.
/// `HLJS_CODE_INVALID_ARGUMENT` for other monitors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_fire(
    monitor: *const Monitor,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(monitor, "monitor")?.trigger()?.fire();
        Ok(())
    })
}

/// Makes a trigger usable again after it was fired. Calls that ran when it was fired end all the same.
/// `HLJS_CODE_INVALID_ARGUMENT` for other monitors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_reset(
    monitor: *const Monitor,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(monitor, "monitor")?.trigger()?.reset();
        Ok(())
    })
}

/// The monitor's name; empty for NULL. It stays valid for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_name(
    monitor: *const Monitor,
    text: *mut *const u8,
    len: *mut usize,
) {
    let name = ffi::peek(monitor).map_or("", |monitor| monitor.0.name());
    ffi::lend(name.as_bytes(), text, len);
}

/// Frees a monitor; calls that have begun with it keep what they need, but it must not be freed while another
/// thread begins one. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_monitor_free(monitor: *mut Monitor) {
    ffi::free(monitor);
}

fn give(monitor: *mut *mut Monitor, make: impl FnOnce() -> Result<Kind>) -> Result<()> {
    let monitor = Out::new(monitor, "monitor")?;
    monitor.give(Monitor::new(make()?));
    Ok(())
}

/// Upstream has one reason to refuse a limit.
fn invalid(error: HyperlightError) -> Error {
    Error::from(error).with_code(Code::InvalidArgument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_vm::Vm;
    use crate::interrupt::Cause;
    use std::pin::pin;
    use std::ptr;
    use std::task::{Context, Waker};

    // Upstream kills what runs by then as soon as the monitor completes.
    #[test]
    fn a_monitor_never_completes_after_its_call() {
        let trigger = Trigger::new("late").unwrap();
        let monitor = Monitor::new(Kind::Trigger(trigger.clone()));
        for late in [false, true] {
            let (vm, interrupter) = Vm::new();
            let call = vm.begin(&interrupter);
            let guarded = monitor.guard(call.gate());
            let mut future = pin!((&guarded).get_monitor().unwrap());
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
            let mut call = Some(call);
            if late {
                assert_eq!(call.take().and_then(|call| vm.end(call)), None);
            }
            trigger.fire();
            assert_eq!(future.as_mut().poll(&mut context).is_ready(), !late);
            if let Some(call) = call {
                assert_eq!(vm.end(call).map(Cause::name), Some("late"));
            }
            trigger.reset();
        }
    }

    #[test]
    fn upstreams_refusals_are_recognised() {
        let error = |text: &str| HyperlightError::Error(text.to_owned());
        assert!(is_start_failure(&error(
            "Execution monitor failed to start: no clock"
        )));
        assert!(is_start_failure(&error("Monitor runtime is unavailable")));
        assert!(!is_start_failure(&error("Handler name must not be empty")));
    }

    #[test]
    fn no_limit_is_no_monitor() {
        for (make, message) in [
            (
                hljs_monitor_new_wall_clock as unsafe extern "C" fn(_, _, _) -> _,
                "timeout must be non-zero",
            ),
            (hljs_monitor_new_cpu_time, "cpu_timeout must be non-zero"),
        ] {
            let (mut monitor, mut error) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: both outputs are live locals.
            let code = unsafe { make(0, &mut monitor, &mut error) };
            assert_eq!(code, Code::InvalidArgument);
            assert!(monitor.is_null());
            assert_eq!(ffi::borrow(error, "error").unwrap().message(), message);
            ffi::free(error);
        }
    }

    #[test]
    fn lists_are_checked() {
        let monitor = Monitor::new(Kind::wall_clock(Duration::MAX).unwrap());
        let pointers = [ptr::from_ref(&monitor), ptr::null()];
        assert_eq!(list(ptr::null(), 0, "monitors").unwrap().len(), 0);
        assert_eq!(list(pointers.as_ptr(), 1, "monitors").unwrap().len(), 1);
        for (pointer, len, message) in [
            (
                pointers.as_ptr(),
                6,
                "there are 6 monitors, but a call takes at most 5",
            ),
            (pointers.as_ptr(), 2, "monitors[1] is NULL"),
            (ptr::null(), 1, "monitors is NULL, but its length is 1"),
        ] {
            let error = list(pointer, len, "monitors").err().unwrap();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(error.message(), message);
        }
    }
}
