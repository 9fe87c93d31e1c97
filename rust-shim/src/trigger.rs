//! A monitor that fires when the host says so.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::interrupt::Cause;

/// Names that mean something else where the name of a monitor is told: upstream's monitors, interrupt
/// handles, and contexts.
const RESERVED: [&str; 4] = ["wall-clock", "cpu-time", Cause::INTERRUPT, Cause::CONTEXT];

const LONGEST_NAME: usize = 64;

/// Upstream wants names that live for ever, so there is a limit to how many.
const MOST_NAMES: usize = 64;

#[derive(Clone)]
pub(crate) struct Trigger {
    name: &'static str,
    state: watch::Sender<State>,
    /// How often it had been fired when it was armed.
    armed: Option<u64>,
}

#[derive(Clone, Copy, Default)]
struct State {
    fired: bool,
    /// How often it was fired: a call is stopped also if the trigger is reset right after.
    times: u64,
}

impl Trigger {
    pub(crate) fn new(name: &str) -> Result<Self> {
        Ok(Self {
            name: NAMES
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .intern(name)?,
            state: watch::Sender::new(State::default()),
            armed: None,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn fire(&self) {
        self.state.send_modify(|state| {
            state.fired = true;
            state.times += 1;
        });
    }

    pub(crate) fn reset(&self) {
        self.state.send_modify(|state| state.fired = false);
    }

    /// The same trigger, for which everything from now on counts: from the moment on in which it is fired, or if it
    /// is, it stays so, whoever resets it.
    pub(crate) fn arm(&self) -> Self {
        Self {
            armed: Some(self.state.borrow().armed()),
            ..self.clone()
        }
    }

    pub(crate) fn is_fired(&self) -> bool {
        let state = self.state.borrow();
        state.times != self.armed.unwrap_or(state.armed())
    }

    /// Waits until the trigger is fired; `None` if it has been. It must be alive while the future is
    /// polled.
    pub(crate) fn wait(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let mut receiver = self.state.subscribe();
        let state = *receiver.borrow_and_update();
        let armed = self.armed.unwrap_or(state.armed());
        if state.times != armed {
            return None;
        }
        Some(async move {
            if receiver
                .wait_for(|state| state.times != armed)
                .await
                .is_err()
            {
                std::future::pending().await // The trigger is gone, and so is the call that used it.
            }
        })
    }
}

impl State {
    /// How often it was fired, but for the last time if that still counts.
    fn armed(self) -> u64 {
        self.times - u64::from(self.fired)
    }
}

static NAMES: Mutex<Names> = Mutex::new(Names(BTreeSet::new()));

/// The names that were given out so far.
struct Names(BTreeSet<&'static str>);

impl Names {
    fn intern(&mut self, name: &str) -> Result<&'static str> {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(Error::invalid_argument(format!(
                "the trigger name has {} bytes; it must have 1 to {LONGEST_NAME}",
                name.len()
            )));
        }
        if RESERVED.contains(&name) {
            return Err(Error::invalid_argument(format!(
                "the trigger name '{name}' is reserved"
            )));
        }
        if let Some(known) = self.0.get(name) {
            return Ok(known);
        }
        if self.0.len() == MOST_NAMES {
            return Err(Error::new(
                Code::TooManyTriggers,
                format!("this process has used {MOST_NAMES} names of triggers already; reuse one"),
            ));
        }
        let name: &'static str = String::from(name).leak();
        self.0.insert(name);
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn poll(future: impl Future<Output = ()>) -> Poll<()> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn it_fires_what_waits_and_what_comes_later() {
        let trigger = Trigger::new("test: it fires").unwrap();
        let (before, unaware) = (trigger.wait().unwrap(), trigger.wait().unwrap());
        trigger.fire();
        assert_eq!(poll(before), Poll::Ready(()));
        assert!(trigger.wait().is_none());
        trigger.reset();
        assert_eq!(
            poll(unaware),
            Poll::Ready(()),
            "it was fired before the reset"
        );
        assert_eq!(poll(trigger.wait().unwrap()), Poll::Pending);
    }

    #[test]
    fn an_armed_one_stays_fired() {
        let trigger = Trigger::new("test: armed").unwrap();
        let armed = trigger.arm();
        assert!(!armed.is_fired());
        let before = armed.wait().unwrap();
        trigger.fire();
        trigger.reset();
        assert_eq!(poll(before), Poll::Ready(()));
        assert!(armed.is_fired() && armed.wait().is_none());
        assert!(!trigger.is_fired() && trigger.wait().is_some());
        trigger.fire();
        trigger.fire();
        let late = trigger.arm();
        trigger.reset();
        assert!(late.is_fired() && late.wait().is_none());
        assert!(!trigger.arm().is_fired());
    }

    #[test]
    fn a_freed_trigger_fires_no_more() {
        let trigger = Trigger::new("test: freed").unwrap();
        let future = trigger.wait().unwrap();
        drop(trigger);
        assert_eq!(poll(future), Poll::Pending);
    }

    #[test]
    fn names_are_checked() {
        for (name, message) in [
            ("", "the trigger name has 0 bytes; it must have 1 to 64"),
            ("wall-clock", "the trigger name 'wall-clock' is reserved"),
            ("interrupt", "the trigger name 'interrupt' is reserved"),
        ] {
            let error = Trigger::new(name).err().unwrap();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(error.message(), message);
        }
        let longest = "x".repeat(64);
        assert_eq!(Trigger::new(&longest).unwrap().name(), longest);
        assert!(Trigger::new(&"x".repeat(65)).is_err());
    }

    #[test]
    fn names_run_out_but_known_ones_do_not() {
        let mut names = Names(BTreeSet::new());
        for i in 0..MOST_NAMES {
            names.intern(&format!("name {i}")).unwrap();
        }
        let error = names.intern("one more").unwrap_err();
        assert_eq!(error.code(), Code::TooManyTriggers);
        assert_eq!(
            error.message(),
            "this process has used 64 names of triggers already; reuse one"
        );
        names.intern("name 0").unwrap();
    }
}
