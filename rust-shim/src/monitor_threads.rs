//! The threads of upstream's monitors. Upstream starts them in the first monitored call, and if it cannot, never again in
//! the life of the process. So as many threads are started before, and end at once: if these cannot be had, upstream is
//! not asked, and the next monitored call tries again.

use std::env;
use std::io;
use std::sync::Mutex;
use std::thread;

use crate::signal;

/// What upstream reads, once, and what it takes for anything that is not a number above 0.
const VARIABLE: &str = "HYPERLIGHT_MONITOR_THREADS";
const DEFAULT: usize = 2;

/// More are a mistake, and the process might not survive the attempt.
const MOST: usize = 1024;

/// Fails unless upstream's threads can be had now.
pub(crate) fn check() -> io::Result<()> {
    let wanted = wanted(env::var(VARIABLE).ok().as_deref());
    if wanted > MOST {
        return Err(io::Error::other(format!(
            "{VARIABLE} is {wanted}, more than {MOST}"
        )));
    }
    try_threads(wanted)
}

fn wanted(text: Option<&str>) -> usize {
    text.and_then(|text| text.parse().ok())
        .filter(|number| *number > 0)
        .unwrap_or(DEFAULT)
}

/// Starts so many threads, none of which ends before the last one has started.
fn try_threads(number: usize) -> io::Result<()> {
    let _shield = signal::Shield::new();
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let _closed = gate.lock();
        for _ in 0..number {
            thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_upstream_reads_it() {
        assert_eq!(wanted(None), 2);
        assert_eq!(wanted(Some("0")), 2);
        assert_eq!(wanted(Some("many")), 2);
        assert_eq!(wanted(Some("5")), 5);
    }

    #[test]
    fn threads_can_be_had() {
        try_threads(5).unwrap();
    }
}
