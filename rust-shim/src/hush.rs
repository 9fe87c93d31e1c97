//! What this library does with upstream's objects on its own account, and no user should see in metrics or logs.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, nothing that this thread does is counted, timed or logged. Gauges go on: they have to be right
/// in the end.
pub(crate) struct Hush {
    before: bool,
    its_thread_only: PhantomData<*const ()>,
}

impl Hush {
    pub(crate) fn new() -> Self {
        Self {
            before: HUSHED.replace(true),
            its_thread_only: PhantomData,
        }
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        HUSHED.set(self.before);
    }
}

pub(crate) fn is_hushed() -> bool {
    HUSHED.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic;
    use std::thread;

    #[test]
    fn it_is_for_its_thread_and_while_it_lives() {
        assert!(!is_hushed());
        let hush = Hush::new();
        assert!(is_hushed());
        drop(Hush::new());
        assert!(is_hushed(), "the outer one lives");
        thread::spawn(|| assert!(!is_hushed())).join().unwrap();
        drop(hush);
        assert!(!is_hushed());
    }

    #[test]
    fn a_panic_ends_it() {
        let result = panic::catch_unwind(|| {
            let _hush = Hush::new();
            panic!("on purpose");
        });
        assert!(result.is_err());
        assert!(!is_hushed());
    }
}
