//! Counts signals, for tests: with the feature `count_kills` alone, and no part of the ABI.
//!
//! No signal may reach a thread that is not in a call of a guest: it could be back in its own program, or
//! have ended. A stray does no harm that a test could see, most of the time. So the linker redirects this
//! library's calls of pthread_kill to `__wrap_pthread_kill` (build.rs), those of upstream, too, which looks
//! whether the thread is in a call. It signals under the lock that the end of a call takes, so the count is
//! exact: a thread cannot leave between the look and the signal.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use libc::{c_int, pthread_t};

use crate::ffi;

// Needed by the linker, but not by anybody else.
std::arch::global_asm!(".hidden __wrap_pthread_kill");

unsafe extern "C" {
    /// libc's pthread_kill, by the name that the linker's --wrap gives it.
    fn __real_pthread_kill(thread: pthread_t, signal: c_int) -> c_int;
}

static KILLS: Mutex<Kills> = Mutex::new(Kills {
    inside: Vec::new(),
    sent: 0,
    strays: 0,
});

struct Kills {
    /// The threads that are in calls, once for each: a callback may use another sandbox.
    inside: Vec<pthread_t>,
    sent: u64,
    strays: u64,
}

fn lock() -> MutexGuard<'static, Kills> {
    KILLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, the thread that made it is in a call, and signals may reach it.
pub(crate) struct Inside(pthread_t);

impl Inside {
    pub(crate) fn new() -> Self {
        // SAFETY: it has no preconditions.
        let thread = unsafe { libc::pthread_self() };
        lock().inside.push(thread);
        Self(thread)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut kills = lock();
        if let Some(index) = kills.inside.iter().rposition(|thread| *thread == self.0) {
            kills.inside.swap_remove(index);
        }
    }
}

/// How late each signal is. Between upstream's look whether a guest runs and its signal is hardly any time, in which a
/// call seldom ends; signals that are late go astray often, unless something keeps the call from ending.
const LATE: Duration = Duration::from_micros(100);

/// Replaces pthread_kill within this library.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_pthread_kill(thread: pthread_t, signal: c_int) -> c_int {
    thread::sleep(LATE);
    let mut kills = lock();
    kills.sent += 1;
    kills.strays += u64::from(!kills.inside.contains(&thread));
    // SAFETY: pthread_kill's own contract, which the caller keeps.
    unsafe { __real_pthread_kill(thread, signal) }
}

/// How many signals this library has sent, and how many of them were strays: the thread was in no call. Each
/// output may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_count_kills(sent: *mut u64, strays: *mut u64) {
    let kills = lock();
    ffi::set_if_wanted(sent, kills.sent);
    ffi::set_if_wanted(strays, kills.strays);
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::interrupt::{Interrupter, Target};
    use crate::repeater;

    /// The count is the process's, so one test at a time looks at it.
    static ONE_TEST: Mutex<()> = Mutex::new(());

    /// What was counted while `body` ran.
    fn count(body: impl FnOnce()) -> (u64, u64) {
        let _one_test = ONE_TEST.lock().unwrap_or_else(PoisonError::into_inner);
        let now = || {
            let (mut sent, mut strays) = (0, 0);
            // SAFETY: both are live locals.
            unsafe { hljs_count_kills(&mut sent, &mut strays) };
            (sent, strays)
        };
        let before = now();
        body();
        let after = now();
        (after.0 - before.0, after.1 - before.1)
    }

    /// Signals a thread while a guest runs there, as upstream does.
    struct Vm {
        thread: pthread_t,
        running: AtomicBool,
    }

    impl Vm {
        fn new() -> (Arc<Self>, Arc<Interrupter>) {
            repeater::start().unwrap();
            let vm = Arc::new(Self {
                // SAFETY: it has no preconditions.
                thread: unsafe { libc::pthread_self() },
                running: AtomicBool::new(true),
            });
            let interrupter = Interrupter::new(Arc::clone(&vm));
            (vm, interrupter)
        }
    }

    impl Target for Arc<Vm> {
        fn kill(&self) -> bool {
            let running = self.running.load(Ordering::SeqCst);
            if running {
                thread::yield_now(); // A signal that is late.
                // SAFETY: the thread is a test's, which waits for all that signal it. By default this signal is ignored.
                unsafe { libc::pthread_kill(self.thread, libc::SIGURG) };
            }
            running
        }

        fn dropped(&self) -> bool {
            false
        }

        fn holders(&self) -> usize {
            2
        }
    }

    #[test]
    fn a_signal_outside_of_a_call_is_a_stray() {
        let kinds = count(|| {
            let (vm, interrupter) = Vm::new();
            let signal = || Target::kill(&vm);
            assert!(signal(), "a stray");
            let call = interrupter.begin();
            assert!(signal());
            let (_, other) = Vm::new();
            let call_of_a_callback = other.begin();
            call.end();
            assert!(signal(), "still in the other call");
            thread::scope(|scope| {
                scope.spawn(|| {
                    let (_, third) = Vm::new();
                    let _call_elsewhere = third.begin();
                    assert!(signal());
                });
            });
            drop(call_of_a_callback);
            assert!(signal(), "a stray");
        });
        assert_eq!(kinds, (5, 2));
        // SAFETY: NULL is allowed.
        unsafe { hljs_count_kills(ptr::null_mut(), ptr::null_mut()) };
    }

    // What the lock of an `Interrupter` is for.
    #[test]
    fn kills_that_race_with_calls_are_no_strays() {
        let (sent, strays) = count(|| {
            let (vm, interrupter) = Vm::new();
            vm.running.store(false, Ordering::SeqCst);
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !over.load(Ordering::SeqCst) {
                            interrupter.kill();
                            thread::yield_now();
                        }
                    });
                }
                for round in 0..5_000 {
                    let call = interrupter.begin();
                    vm.running.store(true, Ordering::SeqCst);
                    (0..round % 50).for_each(|_| thread::yield_now());
                    vm.running.store(false, Ordering::SeqCst);
                    call.end();
                }
                over.store(true, Ordering::SeqCst);
            });
        });
        assert!(sent > 100, "{sent} signals only");
        assert_eq!(strays, 0, "of {sent}");
    }
}
