//! Whether the host has room for what upstream is about to copy. Upstream collects a guest's memory in a vector, when
//! a sandbox is built and whenever a snapshot is taken, and Rust aborts the process when a vector cannot grow. So the
//! room is asked for before, in a way that can be refused.
//!
//! It is given back at once: two threads may both be told yes where there is room for one. And where the kernel promises
//! more memory than it has, it says yes until its own killer comes.

use std::io;
use std::ptr;

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE};

use crate::code::Code;
use crate::error::{Error, Result};

/// Upstream refuses guests above this size, and says so with the numbers.
const LARGEST_GUEST: u64 = 16 << 30;

/// What a snapshot holds beside the heap: the guest's program and page tables.
const BESIDE_HEAP: u64 = 16 << 20;

/// Fails unless there is room to make a snapshot of a guest with such a heap: a vector, which takes up to twice what is
/// in it, and the copy that stays.
pub(crate) fn for_a_snapshot(heap: u64) -> Result<()> {
    if heap > LARGEST_GUEST {
        return Ok(());
    }
    let size = heap + BESIDE_HEAP;
    Room::take(2 * size)
        .and_then(|_vector| Room::take(size))
        .map(drop)
        .map_err(|e| {
            Error::new(
                Code::HostResources,
                format!("the host has no room to copy the guest's memory, {size} bytes: {e}"),
            )
        })
}

/// Memory that nobody writes to, so that it costs nothing.
struct Room {
    start: *mut libc::c_void,
    len: usize,
}

impl Room {
    fn take(bytes: u64) -> io::Result<Self> {
        let len = usize::try_from(bytes).unwrap_or(usize::MAX);
        // SAFETY: a new mapping, wherever the kernel likes, touches no other.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, len })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: the mapping that `take` made, which nobody else knows.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_small_guests() {
        for_a_snapshot(4 << 20).unwrap();
    }

    #[test]
    fn what_nobody_has_is_refused() {
        assert!(Room::take(1 << 47).is_err());
    }

    #[test]
    fn what_is_too_big_is_for_upstream_to_refuse() {
        for_a_snapshot(u64::MAX).unwrap();
    }
}
