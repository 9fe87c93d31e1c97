//! The thread that repeats interrupts until the calls that they are for have ended. There is one for the
//! process, it is started when it is first needed, and it sleeps while nothing has fired.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::interrupt::Interrupter;
use crate::signal;

/// How long the repeater waits before each round: the first kill is usually enough.
const PAUSE: Duration = Duration::from_millis(1);

static FIRED: Mutex<Fired> = Mutex::new(Fired {
    started: false,
    calls: Vec::new(),
});
static NEWS: Condvar = Condvar::new();

struct Fired {
    started: bool,
    calls: Vec<(Arc<Interrupter>, u64)>,
}

/// Starts the thread unless it runs. Whoever hands out a way to interrupt calls this first, so that an
/// interrupt cannot fail.
pub(crate) fn start() -> io::Result<()> {
    let mut fired = lock();
    if !fired.started {
        // The thread inherits the mask: signals for the process are for others.
        let _shield = signal::Shield::new();
        thread::Builder::new()
            .name("hljs-interrupt".to_owned())
            .spawn(run)?;
        fired.started = true;
    }
    Ok(())
}

/// `start` for exports.
pub(crate) fn start_or_fail() -> Result<()> {
    start().map_err(|e| {
        Error::new(
            Code::HostResources,
            format!("the thread that interrupts guests failed to start: {e}"),
        )
    })
}

/// Kills the guest again and again until this call has ended.
pub(crate) fn repeat(interrupter: &Arc<Interrupter>, call: u64) {
    lock().calls.push((Arc::clone(interrupter), call));
    NEWS.notify_one();
}

fn run() {
    let mut calls = Vec::new();
    loop {
        {
            let mut fired = lock();
            while calls.is_empty() && fired.calls.is_empty() {
                fired = NEWS.wait(fired).unwrap_or_else(PoisonError::into_inner);
            }
            calls.append(&mut fired.calls);
        }
        thread::sleep(PAUSE);
        // Without the list's lock: who fires must not wait for a kill of another guest.
        calls.retain(|(interrupter, call)| interrupter.kill_again(*call));
    }
}

fn lock() -> MutexGuard<'static, Fired> {
    FIRED.lock().unwrap_or_else(PoisonError::into_inner)
}
