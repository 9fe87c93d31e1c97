//! What this library does with upstream's objects on its own account, and no user should see in metrics or logs.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, nothing that this thread does is counted, timed or logged. Gauges go on: they have to be right
/// in the end.
pub(crate) struct Hush(PhantomData<*const ()>); // It belongs to its thread.

impl Hush {
    pub(crate) fn new() -> Self {
        HUSHED.set(true);
        Self(PhantomData)
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        HUSHED.set(false);
    }
}

pub(crate) fn is_hushed() -> bool {
    HUSHED.get()
}
