//! A micro-VM for the tests of what interrupts one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt::{Call, Cause, Interrupter, Target};
use crate::repeater;

/// A micro-VM as upstream's interrupt handle sees it: the same flags, in the same order.
#[derive(Default)]
pub(crate) struct Vm {
    cancel: AtomicBool,
    running: AtomicBool,
    /// How often the thread has entered or left a call: while this is odd, and the same, a signal may
    /// reach it.
    steps: AtomicU32,
    signals: AtomicU32,
    strays: AtomicU32,
    /// Upstream's tasks that hold the interrupt handle.
    pub(crate) tasks: AtomicUsize,
}

impl Target for Arc<Vm> {
    fn kill(&self) -> bool {
        self.cancel.store(true, Ordering::SeqCst);
        let mut sent = false;
        loop {
            let step = self.steps.load(Ordering::SeqCst);
            if !self.running.load(Ordering::SeqCst) || !self.cancel.load(Ordering::SeqCst) {
                break;
            }
            thread::sleep(Duration::from_micros(20)); // A signal that is late.
            self.signals.fetch_add(1, Ordering::SeqCst);
            if step.is_multiple_of(2) || self.steps.load(Ordering::SeqCst) != step {
                self.strays.fetch_add(1, Ordering::SeqCst);
            }
            sent = true;
        }
        sent
    }

    fn dropped(&self) -> bool {
        false
    }

    fn holders(&self) -> usize {
        2 + self.tasks.load(Ordering::SeqCst)
    }
}

impl Vm {
    pub(crate) fn new() -> (Arc<Self>, Arc<Interrupter>) {
        repeater::start().unwrap();
        let vm = Arc::new(Self::default());
        let interrupter = Interrupter::new(Arc::clone(&vm));
        (vm, interrupter)
    }

    /// Begins a call that `end` ends.
    pub(crate) fn begin(&self, interrupter: &Arc<Interrupter>) -> Call {
        self.steps.fetch_add(1, Ordering::SeqCst);
        interrupter.begin()
    }

    /// Runs a guest for a time, or for ever, as upstream does, and says whether it was cancelled.
    pub(crate) fn run(&self, time: Option<Duration>) -> bool {
        self.cancel.store(false, Ordering::SeqCst);
        self.running.store(true, Ordering::SeqCst);
        let start = Instant::now();
        while !self.cancel.load(Ordering::SeqCst) && time.is_none_or(|time| start.elapsed() < time)
        {
            thread::yield_now();
        }
        self.running.store(false, Ordering::SeqCst);
        self.cancel.load(Ordering::SeqCst)
    }

    pub(crate) fn call(
        &self,
        interrupter: &Arc<Interrupter>,
        time: Option<Duration>,
    ) -> (bool, Call) {
        let call = self.begin(interrupter);
        (self.run(time), call)
    }

    pub(crate) fn end(&self, call: Call) -> Option<Cause> {
        let cause = call.end();
        self.steps.fetch_add(1, Ordering::SeqCst);
        cause
    }

    /// How many signals were sent.
    pub(crate) fn signals(&self) -> u32 {
        self.signals.load(Ordering::SeqCst)
    }

    /// How many of them arrived outside of the call that they were for.
    pub(crate) fn strays(&self) -> u32 {
        self.strays.load(Ordering::SeqCst)
    }
}
