//! The shell around an upstream object: it can be emptied by a transition, knows its status without
//! waiting for a running guest, and turns misuse (two threads, a callback that calls back) into an
//! error instead of undefined behaviour.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::code::{Code, Status};
use crate::error::{Error, Result};

pub(crate) struct Shell<T> {
    name: &'static str,
    status: AtomicU32,
    contents: Mutex<Option<T>>,
}

impl<T> Shell<T> {
    /// `name` is what error messages call the object.
    pub(crate) fn new(name: &'static str, contents: T) -> Self {
        Self {
            name,
            status: AtomicU32::new(Status::Ready as u32),
            contents: Mutex::new(Some(contents)),
        }
    }

    /// The status as of the last finished call. Never waits.
    pub(crate) fn status(&self) -> Status {
        if self.contents.is_poisoned() {
            return Status::Unrecoverable;
        }
        Status::from_u32(self.status.load(Ordering::Acquire))
    }

    pub(crate) fn set_status(&self, status: Status) {
        self.status.store(status as u32, Ordering::Release);
    }

    /// Uses the contents.
    pub(crate) fn with<R>(&self, body: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut slot = self.lock()?;
        match slot.as_mut() {
            Some(contents) => body(contents),
            None => Err(self.consumed()),
        }
    }

    /// Empties the shell. From then on it answers "consumed".
    pub(crate) fn take(&self) -> Result<T> {
        self.take_if(|_| Ok(())).map(|(contents, ())| contents)
    }

    /// Empties the shell, if `check` agrees, whose result comes along.
    pub(crate) fn take_if<R>(&self, check: impl FnOnce(&T) -> Result<R>) -> Result<(T, R)> {
        let mut slot = self.lock()?;
        let result = check(slot.as_ref().ok_or_else(|| self.consumed())?)?;
        self.set_status(Status::Consumed);
        let contents = slot.take().ok_or_else(|| self.consumed())?;
        Ok((contents, result))
    }

    /// Hands the contents to `change` and takes back what it makes of them. Should it fail, the shell is
    /// empty and answers "consumed".
    pub(crate) fn replace(&self, change: impl FnOnce(T) -> Result<T>) -> Result<()> {
        let mut slot = self.lock()?;
        let contents = slot.take().ok_or_else(|| self.consumed())?;
        *slot = Some(change(contents).inspect_err(|_| self.set_status(Status::Consumed))?);
        Ok(())
    }

    fn lock(&self) -> Result<MutexGuard<'_, Option<T>>> {
        self.contents.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => Error::new(
                Code::Busy,
                format!("{} is in use by another call", self.name),
            ),
            TryLockError::Poisoned(_) => Error::new(
                Code::Panic,
                format!("{} was left in disorder by an earlier panic", self.name),
            ),
        })
    }

    fn consumed(&self) -> Error {
        Error::new(
            Code::Consumed,
            format!("{} has already been consumed", self.name),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_shell_is_consumed() {
        let shell = Shell::new("the thing", 7);
        assert_eq!(shell.take().unwrap(), 7);
        assert_eq!(shell.status(), Status::Consumed);
        let error = shell.take().unwrap_err();
        assert_eq!(error.code(), Code::Consumed);
        assert_eq!(error.message(), "the thing has already been consumed");
        let error = shell.with(|_| Ok(())).unwrap_err();
        assert_eq!(error.code(), Code::Consumed);
    }

    #[test]
    fn a_refused_take_keeps_the_contents() {
        let shell = Shell::new("the thing", 7);
        let error = shell
            .take_if(|_| Err::<(), _>(Error::invalid_argument("no")))
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(shell.status(), Status::Ready);
        assert_eq!(shell.take().unwrap(), 7);
    }

    #[test]
    fn replaced_contents_are_the_contents() {
        let shell = Shell::new("the thing", 7);
        shell.replace(|seven| Ok(seven + 1)).unwrap();
        assert_eq!(shell.status(), Status::Ready);
        assert_eq!(shell.take().unwrap(), 8);
        let error = shell.replace(Ok).unwrap_err();
        assert_eq!(error.code(), Code::Consumed);
    }

    #[test]
    fn a_failed_replacement_consumes() {
        let shell = Shell::new("the thing", 7);
        let error = shell
            .replace(|_| Err(Error::invalid_argument("no")))
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(shell.status(), Status::Consumed);
        assert_eq!(shell.with(|_| Ok(())).unwrap_err().code(), Code::Consumed);
    }

    #[test]
    fn a_panic_in_a_replacement_is_remembered() {
        let shell = Shell::new("the thing", 7);
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            shell.replace(|_| panic!("boom"))
        }));
        assert_eq!(shell.with(|_| Ok(())).unwrap_err().code(), Code::Panic);
        assert_eq!(shell.status(), Status::Unrecoverable);
    }

    #[test]
    fn calling_back_into_it_is_busy() {
        let shell = Shell::new("the thing", 7);
        let error = shell.with(|_| shell.with(|_| Ok(()))).unwrap_err();
        assert_eq!(error.code(), Code::Busy);
        assert_eq!(error.message(), "the thing is in use by another call");
    }

    #[test]
    fn a_panic_inside_is_remembered() {
        let shell = Shell::new("the thing", 7);
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            shell.with(|_| -> Result<()> { panic!("boom") })
        }));
        assert_eq!(shell.with(|_| Ok(())).unwrap_err().code(), Code::Panic);
        assert_eq!(shell.status(), Status::Unrecoverable);
    }
}
