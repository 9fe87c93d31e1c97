//! Stopping a running guest for certain, and never the call after it.
//!
//! Upstream's `kill()` sends signals to the thread that ran the guest last, for as long as it believes
//! that it still does; the thread may have moved on by then, or have ended. And a `kill()` that comes
//! just before upstream begins a call is forgotten. So there is one `Interrupter` for each micro-VM. It
//! knows whether a call runs, and all kills go through its lock, which the end of a call takes too: no
//! signal can be sent to a thread that has left the call. What fired is repeated (`repeater`) until
//! the call has ended, so none is lost.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use hyperlight_js::InterruptHandle;

use crate::repeater;

/// What an `Interrupter` needs of upstream's interrupt handle.
pub(crate) trait Target: Send + Sync {
    /// Asks the guest to stop, and signals its thread until it has left the guest. Says whether a
    /// signal was sent.
    fn kill(&self) -> bool;
    /// Whether the micro-VM is gone.
    fn dropped(&self) -> bool;
    /// How many hold the handle.
    fn holders(&self) -> usize;
}

impl Target for Arc<dyn InterruptHandle> {
    fn kill(&self) -> bool {
        InterruptHandle::kill(self.as_ref())
    }

    fn dropped(&self) -> bool {
        InterruptHandle::dropped(self.as_ref())
    }

    fn holders(&self) -> usize {
        Arc::strong_count(self)
    }
}

/// What stopped a call, or kept it from running.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cause {
    /// An interrupt handle.
    Interrupt,
    /// A context.
    Context,
    /// A monitor that fired while the guest ran.
    Monitor(&'static str),
    /// A monitor that had fired before, so that the guest did not run.
    Refusal(&'static str),
}

impl Cause {
    /// The names of `Cause::Interrupt` and `Cause::Context`; no trigger may have them.
    pub(crate) const INTERRUPT: &'static str = "interrupt";
    pub(crate) const CONTEXT: &'static str = "context";

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => Self::INTERRUPT,
            Self::Context => Self::CONTEXT,
            Self::Monitor(name) | Self::Refusal(name) => name,
        }
    }
}

/// The one way to stop the guest of a micro-VM. Lives as long as anyone wants to, also after the VM.
pub(crate) struct Interrupter {
    target: Box<dyn Target>,
    /// How many hold the target while no call is monitored: the VM and this object.
    idle_holders: usize,
    /// Whether a call runs, for those who need not wait for the lock to hear "no".
    active: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls are numbered, so that what belongs to one cannot fire in another.
    call: u64,
    running: bool,
    /// What fired in this call first. Nothing fires twice in a call.
    cause: Option<Cause>,
}

impl Interrupter {
    pub(crate) fn new(target: impl Target + 'static) -> Arc<Self> {
        Arc::new(Self {
            idle_holders: target.holders(),
            target: Box::new(target),
            active: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    /// Begins a call. The caller has the sandbox for itself, so calls never overlap.
    pub(crate) fn begin(self: &Arc<Self>) -> Call {
        let mut state = self.lock();
        state.call += 1;
        state.running = true;
        state.cause = None;
        self.active.store(true, Ordering::Release);
        Call {
            gate: Gate {
                interrupter: Arc::clone(self),
                call: state.call,
            },
            ended: false,
            #[cfg(feature = "count_kills")]
            _inside: crate::kill_count::Inside::new(),
        }
    }

    /// Stops the running call, if there is one, and no other. Says whether a signal was sent now: none is
    /// while the guest waits for a host function, and it is stopped when that returns.
    pub(crate) fn kill(self: &Arc<Self>) -> bool {
        if !self.active.load(Ordering::Acquire) {
            return false;
        }
        let state = self.lock();
        if !state.running {
            return false;
        }
        self.stop(state, Cause::Interrupt)
    }

    /// Stops the call that runs. Whether or not something else has fired before, it is signalled at once.
    fn stop(self: &Arc<Self>, mut state: MutexGuard<'_, State>, cause: Cause) -> bool {
        let call = state.call;
        let first = state.cause.is_none();
        state.cause = state.cause.or(Some(cause));
        let sent = self.target.kill();
        drop(state);
        if first {
            repeater::repeat(self, call);
        }
        sent
    }

    pub(crate) fn dropped(&self) -> bool {
        self.target.dropped()
    }

    /// Kills once more what still runs of this call. Says whether it does.
    pub(crate) fn kill_again(&self, call: u64) -> bool {
        if !self.active.load(Ordering::Acquire) {
            return false;
        }
        let state = self.lock();
        let running = state.running && state.call == call;
        if running {
            self.target.kill();
        }
        running
    }

    /// Once a monitor has fired, upstream's task calls `kill()` by itself, without our lock. It holds the
    /// target until it has.
    fn wait_for_upstream(&self) {
        const PAUSE: Duration = Duration::from_micros(50);
        while self.target.holders() > self.idle_holders {
            thread::sleep(PAUSE);
        }
        fence(Ordering::Acquire);
    }

    /// No code of ours panics while it holds the lock, and the state is consistent at every moment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that runs, until `end` or, should it unwind, until it is dropped.
pub(crate) struct Call {
    gate: Gate,
    ended: bool,
    /// Dropped after all else: until then a signal may come.
    #[cfg(feature = "count_kills")]
    _inside: crate::kill_count::Inside,
}

impl Call {
    /// What the call's monitors need.
    pub(crate) fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Ends the call, and says what fired in it. No signal is sent on its behalf from then on.
    pub(crate) fn end(mut self) -> Option<Cause> {
        self.close()
    }

    fn close(&mut self) -> Option<Cause> {
        self.ended = true;
        let interrupter = &self.gate.interrupter;
        // Turns away who would only stand in the way of the lock.
        interrupter.active.store(false, Ordering::Release);
        let cause = {
            let mut state = interrupter.lock();
            state.running = false;
            state.cause
        };
        if let Some(Cause::Monitor(_)) = cause {
            interrupter.wait_for_upstream();
        }
        cause
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.close();
        }
    }
}

/// What a monitor must pass to stop the call that it belongs to.
#[derive(Clone)]
pub(crate) struct Gate {
    interrupter: Arc<Interrupter>,
    call: u64,
}

impl Gate {
    /// Says whether the monitor of this name may fire: the call runs, and nothing else has fired. If so,
    /// the call will be stopped.
    pub(crate) fn pass(&self, name: &'static str) -> bool {
        let passed = self.enter(Cause::Monitor(name));
        if passed {
            repeater::repeat(&self.interrupter, self.call);
        }
        passed
    }

    /// Stops the call for a context, unless it has ended.
    pub(crate) fn cancel(&self) {
        let state = self.interrupter.lock();
        if state.running && state.call == self.call {
            self.interrupter.stop(state, Cause::Context);
        }
    }

    pub(crate) fn id(&self) -> CallId {
        CallId(Arc::as_ptr(&self.interrupter), self.call)
    }

    /// Notes that the call will not run because the monitor of this name has fired already.
    pub(crate) fn refuse(&self, name: &'static str) {
        self.enter(Cause::Refusal(name));
    }

    fn enter(&self, cause: Cause) -> bool {
        let mut state = self.interrupter.lock();
        let open = state.running && state.call == self.call && state.cause.is_none();
        if open {
            state.cause = Some(cause);
        }
        open
    }
}

/// Tells calls apart that have gates: of which micro-VM, and of its calls which.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct CallId(*const Interrupter, u64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_vm::Vm;

    #[test]
    fn a_kill_without_a_call_does_nothing() {
        let (vm, interrupter) = Vm::new();
        assert!(!interrupter.kill());
        let (cancelled, call) = vm.call(&interrupter, Some(Duration::ZERO));
        assert!(!cancelled);
        assert_eq!(vm.end(call), None);
        assert!(!interrupter.kill());
        assert_eq!(vm.signals(), 0);
    }

    // Upstream forgets a kill that comes before it begins the call.
    #[test]
    fn an_early_kill_is_repeated() {
        let (vm, interrupter) = Vm::new();
        let call = vm.begin(&interrupter);
        assert!(!interrupter.kill(), "nothing runs yet");
        assert!(vm.run(None), "it would run for ever");
        assert_eq!(vm.end(call), Some(Cause::Interrupt));
    }

    #[test]
    fn the_first_cause_counts() {
        let (_, interrupter) = Vm::new();
        let call = interrupter.begin();
        let gate = call.gate();
        assert!(gate.pass("first"));
        assert!(!gate.pass("second"));
        assert!(!interrupter.kill());
        assert_eq!(call.end(), Some(Cause::Monitor("first")));

        let call = interrupter.begin();
        assert!(!interrupter.kill());
        assert!(!call.gate().pass("late"));
        assert_eq!(call.end().map(Cause::name), Some("interrupt"));
    }

    #[test]
    fn a_gate_is_closed_outside_its_call() {
        let (_, interrupter) = Vm::new();
        let call = interrupter.begin();
        let gate = call.gate();
        call.end();
        assert!(!gate.pass("between calls"));
        let call = interrupter.begin();
        assert!(!gate.pass("in the next call"));
        assert_eq!(call.end(), None);
    }

    #[test]
    fn a_call_that_unwinds_has_ended() {
        let (_, interrupter) = Vm::new();
        let gate = interrupter.begin().gate();
        assert!(!gate.pass("too late"));
        assert!(!interrupter.kill());
    }

    // Upstream's task may be between its monitor and its kill.
    #[test]
    fn the_end_waits_for_upstreams_own_kill() {
        let (vm, interrupter) = Vm::new();
        let (_, call) = vm.call(&interrupter, Some(Duration::ZERO));
        vm.tasks.store(1, Ordering::SeqCst);
        assert!(call.gate().pass("monitor"));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                vm.tasks.store(0, Ordering::SeqCst);
            });
            vm.end(call);
            assert_eq!(vm.tasks.load(Ordering::SeqCst), 0);
        });
    }

    // One thread runs calls, some endless, some short; others kill at all times. Endless ones always end,
    // calls in which nothing fired are never cancelled, and no signal arrives outside a call.
    #[test]
    fn kills_race_with_calls() {
        let (vm, interrupter) = Vm::new();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        interrupter.kill();
                        thread::sleep(Duration::from_micros(150));
                    }
                });
            }
            let mut stopped = 0;
            for round in 0..2_000 {
                let endless = round % 4 == 0;
                let time = (!endless).then_some(Duration::from_micros(round % 100));
                let (cancelled, call) = vm.call(&interrupter, time);
                let cause = vm.end(call);
                assert!(!cancelled || cause.is_some(), "cancelled by nobody");
                assert!(!endless || cancelled, "it cannot end by itself");
                stopped += u32::from(cancelled);
            }
            over.store(true, Ordering::SeqCst);
            assert!(stopped >= 500);
        });
        assert_eq!(vm.strays(), 0);
    }

    // The same with kills that upstream forgets, so that the repeater's come as the call ends.
    #[test]
    fn repeats_race_with_the_end_of_their_call() {
        let (vm, interrupter) = Vm::new();
        for round in 0..500 {
            let call = vm.begin(&interrupter);
            assert!(!interrupter.kill());
            vm.run(Some(Duration::from_micros(900 + round % 400)));
            assert_eq!(vm.end(call), Some(Cause::Interrupt));
        }
        assert!(vm.signals() > 0);
        assert_eq!(vm.strays(), 0);
    }

    // The same with monitors that fire at about the time at which the call ends.
    #[test]
    fn monitors_race_with_the_end_of_their_call() {
        let (vm, interrupter) = Vm::new();
        thread::scope(|scope| {
            let mut fired = 0;
            for round in 0..500u64 {
                let call = vm.begin(&interrupter);
                let gate = call.gate();
                let monitor = scope.spawn({
                    let vm = &vm;
                    move || {
                        thread::sleep(Duration::from_micros(round % 200));
                        vm.tasks.fetch_add(1, Ordering::SeqCst);
                        let passed = gate.pass("monitor");
                        if passed {
                            Target::kill(vm); // As upstream's task does.
                        }
                        vm.tasks.fetch_sub(1, Ordering::SeqCst);
                        passed
                    }
                });
                let cancelled = vm.run(Some(Duration::from_micros(100)));
                let cause = vm.end(call);
                assert_eq!(monitor.join().unwrap(), cause.is_some());
                assert!(!cancelled || cause.is_some());
                fired += u32::from(cause.is_some());
                // What is left of the kill does not reach the next call.
                let (cancelled, call) = vm.call(&interrupter, Some(Duration::from_micros(50)));
                assert!(!cancelled);
                assert_eq!(vm.end(call), None);
            }
            assert!(fired > 0);
        });
        assert_eq!(vm.strays(), 0);
    }
}
