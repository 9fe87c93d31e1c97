//! What a process full of signals needs.
//!
//! Go requires SA_ONSTACK of every signal handler: a signal that arrives while a thread runs Go code
//! would otherwise write its frame, 1.8 KiB and more, onto a goroutine stack of 2 KiB. Upstream
//! installs its interrupt handler with SA_SIGINFO alone, at every load_runtime, so fixing the flags
//! afterwards leaves a window. Instead the linker redirects this library's calls of sigaction to
//! `__wrap_sigaction` (build.rs), which adds the flag before the kernel sees the request.
//!
//! Go also sends SIGURG to its threads whenever it wants one to yield. A signal that arrives during
//! KVM_CREATE_VM makes the kernel give up with EINTR, and upstream with it, so that step is shielded.

use std::ptr;

use libc::{c_int, sigaction, sigset_t};

use crate::code::Code;
use crate::error::{Error, Result};

// Needed by the linker, but no part of the ABI.
std::arch::global_asm!(".hidden __wrap_sigaction");

unsafe extern "C" {
    /// libc's sigaction, by the name that the linker's --wrap gives it.
    fn __real_sigaction(signal: c_int, new: *const sigaction, old: *mut sigaction) -> c_int;
}

/// Replaces sigaction within this library.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_sigaction(
    signal: c_int,
    new: *const sigaction,
    old: *mut sigaction,
) -> c_int {
    // SAFETY: sigaction's own contract: `new` is NULL or valid.
    let mut wanted = unsafe { new.as_ref() }.copied();
    if let Some(action) = &mut wanted
        && action.sa_sigaction != libc::SIG_DFL
        && action.sa_sigaction != libc::SIG_IGN
    {
        action.sa_flags |= libc::SA_ONSTACK;
    }
    let wanted = wanted.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `wanted` is NULL or points to a live copy of what the caller passed; `old` is the
    // caller's.
    unsafe { __real_sigaction(signal, wanted, old) }
}

/// Fails when the interrupt signal has a handler that would corrupt a Go program.
pub(crate) fn check_handler(signal_offset: u8) -> Result<()> {
    let signal = libc::SIGRTMIN() + c_int::from(signal_offset);
    // SAFETY: all-zero bytes are a valid sigaction; with NULL for `new` the call only reads.
    let (result, current) = unsafe {
        let mut current: sigaction = std::mem::zeroed();
        (libc::sigaction(signal, ptr::null(), &mut current), current)
    };
    let handled = current.sa_sigaction != libc::SIG_DFL && current.sa_sigaction != libc::SIG_IGN;
    if result == 0 && handled && current.sa_flags & libc::SA_ONSTACK != 0 {
        return Ok(());
    }
    Err(Error::new(
        Code::Internal,
        format!(
            "the handler of the interrupt signal {signal} is missing or lacks SA_ONSTACK: \
             something else in this process uses that signal; choose another signal offset"
        ),
    ))
}

/// While it lives, signals that can wait do wait on this thread.
pub(crate) struct Shield {
    previous: sigset_t,
}

impl Shield {
    pub(crate) fn new() -> Self {
        // Those that report what the thread itself did cannot wait.
        const SYNCHRONOUS: [c_int; 7] = [
            libc::SIGABRT,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGSEGV,
            libc::SIGSYS,
            libc::SIGTRAP,
        ];
        // SAFETY: all-zero bytes are a valid sigset_t to be filled, the signal numbers are valid, and
        // all pointers are to live locals.
        unsafe {
            let mut wanted: sigset_t = std::mem::zeroed();
            let mut previous: sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut wanted);
            for signal in SYNCHRONOUS {
                libc::sigdelset(&mut wanted, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &wanted, &mut previous);
            Self { previous }
        }
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        // SAFETY: `previous` was filled by pthread_sigmask.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.previous, ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_blocked(signal: c_int) -> bool {
        // SAFETY: with NULL for the new mask the call only reads.
        unsafe {
            let mut current: sigset_t = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut current);
            libc::sigismember(&current, signal) == 1
        }
    }

    #[test]
    fn the_shield_holds_while_it_lives() {
        assert!(!is_blocked(libc::SIGURG));
        let shield = Shield::new();
        assert!(is_blocked(libc::SIGURG));
        assert!(!is_blocked(libc::SIGSEGV));
        drop(shield);
        assert!(!is_blocked(libc::SIGURG));
    }

    extern "C" fn ignore(_: c_int) {}

    #[test]
    fn the_wrap_adds_sa_onstack() {
        let signal = libc::SIGRTMIN() + 5;
        // SAFETY: a valid sigaction with a handler that does nothing, for a signal nobody sends.
        unsafe {
            let mut action: sigaction = std::mem::zeroed();
            action.sa_sigaction = ignore as *const () as usize;
            assert_eq!(libc::sigaction(signal, &action, ptr::null_mut()), 0);
        }
        check_handler(5).unwrap();
        // SAFETY: back to the default.
        unsafe {
            let action: sigaction = std::mem::zeroed();
            assert_eq!(libc::sigaction(signal, &action, ptr::null_mut()), 0);
        }
        assert_eq!(check_handler(5).unwrap_err().code(), Code::Internal);
    }
}
