//! `hljs_context`: what calls run under. Cancelling it stops them, and keeps new ones from running.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::interrupt::{Call, CallId, Gate};
use crate::repeater;

/// Cancels calls. May be used by any number of calls, sandboxes and threads at a time. It takes none of the
/// places of a call's monitors, and costs next to nothing.
pub struct Context(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    /// How often it was.
    times: u64,
    calls: Vec<Gate>,
}

impl Context {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The context for what begins now.
    pub(crate) fn since_now(&self) -> Since<'_> {
        Since {
            context: self,
            times: lock(&self.0).times,
        }
    }

    pub(crate) fn cancel(&self) {
        let calls = {
            let mut state = lock(&self.0);
            state.cancelled = true;
            state.times += 1;
            state.calls.clone()
        };
        // Calls that have ended meanwhile are behind closed gates. To kill takes a moment for each.
        for call in calls {
            call.cancel();
        }
    }

    pub(crate) fn reset(&self) {
        lock(&self.0).cancelled = false;
    }
}

/// A context, and how often it had been cancelled when what runs under it began: that ends with the next time, also
/// if the context is reset before anybody looks.
#[derive(Clone, Copy)]
pub(crate) struct Since<'a> {
    context: &'a Context,
    times: u64,
}

impl Since<'_> {
    /// Has this call stopped when the context is cancelled, until the result is dropped. Refuses as `check` does.
    pub(crate) fn watch(&self, call: &Call) -> Result<Watched> {
        let mut state = lock(&self.context.0);
        state.check(self.times)?;
        let gate = call.gate();
        let call = gate.id();
        state.calls.push(gate);
        Ok(Watched {
            context: Arc::clone(&self.context.0),
            call,
        })
    }

    /// Refuses if the context is cancelled, or was since.
    pub(crate) fn check(&self) -> Result<()> {
        lock(&self.context.0).check(self.times)
    }
}

impl State {
    fn check(&self, times: u64) -> Result<()> {
        if !self.cancelled && self.times == times {
            return Ok(());
        }
        Err(Error::new(
            Code::ContextCancelled,
            "the context was cancelled before the guest could run",
        ))
    }
}

/// A call that a context may cancel.
pub(crate) struct Watched {
    context: Arc<Mutex<State>>,
    call: CallId,
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.context)
            .calls
            .retain(|gate| gate.id() != self.call);
    }
}

/// The state is consistent at every moment.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a context that is not cancelled. `HLJS_CODE_HOST_RESOURCES` when the thread that repeats interrupts
/// cannot be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_new(
    context: *mut *mut Context,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let context = Out::new(context, "context")?;
        repeater::start_or_fail()?;
        context.give(Context::new());
        Ok(())
    })
}

/// Cancels a context: calls that run under it are stopped, each for certain, with `HLJS_CODE_CANCELLED` and
/// "context" as the monitor's name, which leaves their sandboxes poisoned; calls that begin later are refused
/// with `HLJS_CODE_CONTEXT_CANCELLED`, which changes nothing. Cancelling it again does nothing.
///
/// Like `hljs_interrupt_handle_kill` it blocks, for one guest after the other, until they have stopped, or wait for a
/// callback, after which they are stopped. What has begun but does not run in the guest at this moment is stopped soon
/// afterwards, unless it is over before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_cancel(
    context: *const Context,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(context, "context")?.cancel();
        Ok(())
    })
}

/// Makes a cancelled context usable again. Calls that ran when it was cancelled end all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_reset(
    context: *const Context,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(context, "context")?.reset();
        Ok(())
    })
}

/// Frees a context; calls that have begun under it go on, and nothing can cancel them any more. It must not be
/// freed while another thread begins one. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_context_free(context: *mut Context) {
    ffi::free(context);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_vm::Vm;
    use crate::interrupt::Cause;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::thread;
    use std::time::Duration;

    const AT_ONCE: Option<Duration> = Some(Duration::ZERO);
    const FOR_EVER: Option<Duration> = None;

    fn is_refused(context: &Context, call: &Call) -> bool {
        match context.since_now().watch(call) {
            Ok(_) => false,
            Err(error) => error.code() == Code::ContextCancelled,
        }
    }

    #[test]
    fn it_stops_the_calls_under_it_and_no_others() {
        let context = Context::new();
        let (vm, interrupter) = Vm::new();
        let (bystander, untouched) = Vm::new();
        let other = bystander.begin(&untouched);
        let call = vm.begin(&interrupter);
        let watched = context.since_now().watch(&call).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(5));
                context.cancel();
                context.cancel();
            });
            assert!(vm.run(FOR_EVER));
        });
        assert_eq!(vm.end(call), Some(Cause::Context));
        drop(watched);
        assert!(!bystander.run(AT_ONCE));
        assert_eq!(bystander.end(other), None);
        assert_eq!(bystander.signals(), 0);
    }

    #[test]
    fn a_cancelled_one_refuses_until_it_is_reset() {
        let context = Context::new();
        context.reset();
        context.cancel();
        let (vm, interrupter) = Vm::new();
        let call = vm.begin(&interrupter);
        assert!(is_refused(&context, &call));
        context.cancel();
        assert!(is_refused(&context, &call));
        context.reset();
        let watched = context.since_now().watch(&call).unwrap();
        drop(watched);
        assert_eq!(vm.end(call), None, "it was cancelled for others");
        assert_eq!(vm.signals(), 0);
    }

    // A batch looks at its context, and then begins an event: what comes in between must not be lost.
    #[test]
    fn what_has_begun_is_refused_also_after_a_reset() {
        let context = Context::new();
        let (vm, interrupter) = Vm::new();
        let begun = context.since_now();
        begun.check().unwrap();
        context.cancel();
        context.reset();
        let call = vm.begin(&interrupter);
        let refusal = begun.watch(&call).err().unwrap();
        assert_eq!(refusal.code(), Code::ContextCancelled);
        assert!(begun.check().is_err());
        assert!(!is_refused(&context, &call), "that begins after the reset");
        vm.end(call);
    }

    #[test]
    fn a_call_that_was_stopped_stays_so_after_a_reset() {
        let context = Context::new();
        let (vm, interrupter) = Vm::new();
        let call = vm.begin(&interrupter);
        let watched = context.since_now().watch(&call).unwrap();
        context.cancel(); // Before the guest runs, so upstream forgets it.
        context.reset();
        assert!(vm.run(FOR_EVER));
        assert_eq!(vm.end(call), Some(Cause::Context));
        drop(watched);
    }

    #[test]
    fn one_that_is_freed_stops_nothing_any_more() {
        let context = Context::new();
        let (vm, interrupter) = Vm::new();
        let call = vm.begin(&interrupter);
        let watched = context.since_now().watch(&call).unwrap();
        drop(context);
        assert!(!vm.run(AT_ONCE));
        assert_eq!(vm.end(call), None);
        drop(watched);
    }

    #[test]
    fn calls_leave_nothing_behind() {
        let context = Context::new();
        let (vm, interrupter) = Vm::new();
        let (other_vm, other_interrupter) = Vm::new();
        let other_call = other_vm.begin(&other_interrupter);
        let other = context.since_now().watch(&other_call).unwrap();
        for _ in 0..10 {
            let call = vm.begin(&interrupter);
            let watched = context.since_now().watch(&call).unwrap();
            assert_eq!(lock(&context.0).calls.len(), 2);
            vm.end(call);
            drop(watched);
            let [left] = &lock(&context.0).calls[..] else {
                panic!("one call is left");
            };
            assert!(left.id() == other_call.gate().id());
        }
        drop(other);
        assert!(lock(&context.0).calls.is_empty());
        other_vm.end(other_call);
    }

    #[test]
    fn what_fired_first_is_the_cause() {
        let context = Context::new();
        let (vm, interrupter) = Vm::new();
        let call = vm.begin(&interrupter);
        let watched = context.since_now().watch(&call).unwrap();
        assert!(call.gate().pass("monitor"));
        context.cancel();
        assert!(vm.run(FOR_EVER));
        assert_eq!(vm.end(call), Some(Cause::Monitor("monitor")));
        drop(watched);
        context.reset();

        let call = vm.begin(&interrupter);
        let watched = context.since_now().watch(&call).unwrap();
        context.cancel();
        assert!(!call.gate().pass("monitor"));
        assert!(vm.run(FOR_EVER));
        assert_eq!(vm.end(call), Some(Cause::Context));
        drop(watched);
    }

    // A context for each call, cancelled at any time from before the call to after it. Every endless call ends, what
    // was cancelled in time never runs on, and the call behind it notices nothing.
    #[test]
    fn cancels_race_with_calls() {
        let (vm, interrupter) = Vm::new();
        let (mut refused, mut stopped, mut late) = (0, 0, 0);
        for round in 0..1_500u64 {
            let context = Context::new();
            let endless = round % 3 == 0;
            thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(Duration::from_micros(round % 120));
                    context.cancel();
                });
                thread::sleep(Duration::from_micros(round % 70));
                let call = vm.begin(&interrupter);
                match context.since_now().watch(&call) {
                    Err(_) => {
                        refused += 1;
                        assert_eq!(vm.end(call), None);
                    }
                    Ok(watched) => {
                        let time = (!endless).then_some(Duration::from_micros(round % 60));
                        let cancelled = vm.run(time);
                        let cause = vm.end(call);
                        drop(watched);
                        assert!(!cancelled || cause == Some(Cause::Context));
                        assert!(!endless || cancelled);
                        *if cause.is_some() {
                            &mut stopped
                        } else {
                            &mut late
                        } += 1;
                    }
                }
                // Its context may be cancelled right now.
                let (cancelled, call) = vm.call(&interrupter, Some(Duration::from_micros(30)));
                assert!(!cancelled);
                assert_eq!(vm.end(call), None);
            });
        }
        assert!(
            stopped >= 300 && late > 0 && refused > 0,
            "{refused} {stopped} {late}"
        );
        assert_eq!(vm.strays(), 0);
    }

    // One context for many threads' calls, cancelled and reset all the time.
    #[test]
    fn one_context_for_many_calls_at_a_time() {
        let context = Context::new();
        let running = AtomicU32::new(4);
        let started = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (vm, interrupter) = Vm::new();
                    for _ in 0..100 {
                        let call = vm.begin(&interrupter);
                        started.store(true, Ordering::SeqCst);
                        match context.since_now().watch(&call) {
                            Err(_) => assert_eq!(vm.end(call), None),
                            Ok(watched) => {
                                assert!(vm.run(FOR_EVER));
                                assert_eq!(vm.end(call), Some(Cause::Context));
                                drop(watched);
                            }
                        }
                    }
                    assert_eq!(vm.strays(), 0);
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
            while running.load(Ordering::SeqCst) > 0 {
                if started.load(Ordering::SeqCst) {
                    context.cancel();
                    context.reset();
                }
                thread::yield_now();
            }
        });
        assert!(lock(&context.0).calls.is_empty());
    }
}
