//! What a guest's imports may cost the host. Upstream's resolver remembers every path that it was ever
//! asked for, each folder above it with its whole path, and finds these folders by recursion. A guest that
//! imports one path of 100,000 elements would end the process by a stack overflow, and one that imports ever
//! new paths would fill its memory.
//!
//! Upstream gives no way in before the resolver runs but one: it logs what is to be resolved. And there is
//! no way to fail from there but to panic, which upstream does not survive in a usable state; so that is
//! the end of the sandbox, and of what its resolver remembers, but of nothing else.

use std::fmt::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};

use crate::code::Code;
use crate::error::Error;

/// How many bytes a resolver may remember, roughly.
const MOST_MEMORY: usize = 64 << 20;

/// How many of them for one import. The longest path that can exist, 4096 bytes of `a/`, takes that much.
const MOST_AT_ONCE: usize = 8 << 20;

/// How many elements a path may have. The resolver goes one level deeper for each.
const MOST_ELEMENTS: usize = 2048;

/// What a remembered path takes beside its text, roughly.
const ENTRY: usize = 256;

/// Whether this is how upstream announces that it will resolve a module.
pub(crate) fn is_announcement(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "hyperlight_js::sandbox::proto_js_sandbox"
        && metadata.is_event()
        && metadata.fields().field("specifier").is_some()
}

/// Ends the sandbox whose guest imports what is too long.
pub(crate) fn check(announcement: &Event<'_>) {
    let mut path = Size::default();
    announcement.record(&mut path); // What is imported, and from where.
    if path.slashes > MOST_ELEMENTS || path.bytes.saturating_mul(path.slashes) > MOST_AT_ONCE {
        end(format!(
            "the guest imports a path of {} bytes with {} slashes",
            path.bytes, path.slashes
        ));
    }
}

/// The size of texts that are put together.
#[derive(Default)]
struct Size {
    bytes: usize,
    slashes: usize,
}

impl Size {
    fn of(path: &str) -> Self {
        let slashes = path.bytes().filter(|byte| *byte == b'/').count();
        let bytes = path.len();
        Self { bytes, slashes }
    }
}

impl Visit for Size {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self, "{value:?}"); // Counting does not fail.
    }
}

impl Write for Size {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let more = Self::of(text);
        self.bytes += more.bytes;
        self.slashes += more.slashes;
        Ok(())
    }
}

/// What one resolver remembers.
#[derive(Default)]
pub(crate) struct Memory(AtomicUsize);

impl Memory {
    /// Notes that the resolver knows this path. Ends the sandbox if that is too much.
    pub(crate) fn charge(&self, path: &str) {
        let Size { bytes, slashes } = Size::of(path);
        let cost = (slashes + 1).saturating_mul(bytes + ENTRY);
        let before = self.0.fetch_add(cost, Ordering::Relaxed);
        if before.saturating_add(cost) > MOST_MEMORY {
            end("the guest imports too many different paths".to_owned());
        }
    }
}

/// `ffi::guard` makes an error of it.
fn end(message: String) -> ! {
    panic::panic_any(Error::new(Code::GuestAborted, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::collection::vec;
    use std::panic::catch_unwind;

    fn failure(body: impl FnOnce() + panic::UnwindSafe) -> String {
        let payload = catch_unwind(body).unwrap_err();
        let error = payload.downcast::<Error>().unwrap();
        assert_eq!(error.code(), Code::GuestAborted);
        error.message().to_owned()
    }

    #[test]
    fn a_resolver_may_remember_so_much() {
        let memory = Memory::default();
        let path = "a/".repeat(2000);
        let rounds = MOST_MEMORY / (2001 * (4000 + ENTRY));
        (0..rounds).for_each(|_| memory.charge(&path));
        assert_eq!(
            failure(panic::AssertUnwindSafe(|| memory.charge(&path))),
            "the guest imports too many different paths"
        );
    }

    #[test]
    fn the_longest_path_that_can_exist_is_allowed() {
        let longest = Size::of(&"a/".repeat(2048));
        assert_eq!((longest.bytes, longest.slashes), (4096, MOST_ELEMENTS));
        assert_eq!(longest.bytes * longest.slashes, MOST_AT_ONCE);
    }

    #[test]
    fn fuzz_a_size_is_that_of_its_parts() {
        fuzz::holds(vec(fuzz::text_of(&["/", "//", "a"]), 0..6), |parts| {
            let mut size = Size::default();
            parts.iter().for_each(|part| size.write_str(part).unwrap());
            let whole = parts.concat();
            assert_eq!(size.bytes, whole.len());
            assert_eq!(size.slashes, whole.matches('/').count());
        });
    }

    #[test]
    fn fuzz_a_resolver_may_remember_so_much_and_no_more() {
        fuzz::holds(vec((0..2100_usize, 0..2000_usize), 0..40), |paths| {
            let memory = Memory::default();
            let mut remembered = 0;
            for (slashes, more) in paths {
                let path = "a/".repeat(slashes) + &"x".repeat(more);
                // Each folder above it, with its path.
                remembered += (slashes + 1) * (2 * slashes + more + ENTRY);
                let charge = panic::AssertUnwindSafe(|| memory.charge(&path));
                assert_eq!(catch_unwind(charge).is_ok(), remembered <= MOST_MEMORY);
            }
        });
    }
}
