//! The border itself: pointers from C become Rust values here, results become pointers, and no
//! panic gets past `guard`.
//!
//! All functions take raw pointers and are safe to call only as far as the header's conventions
//! hold (a non-NULL pointer points to what its type says and is not freed meanwhile). They are not
//! marked `unsafe` one by one: every caller is an `unsafe extern "C" fn` of this crate, which is
//! where that promise is made.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::ptr;
use std::sync::Once;

use crate::code::Code;
use crate::error::{Error, Result};

/// Runs the body of an export. A failure's detail goes to `error_out` if the caller wants it; a
/// panic becomes the code `HLJS_CODE_PANIC` with the panic's message.
pub(crate) fn guard(error_out: *mut *mut Error, body: impl FnOnce() -> Result<()>) -> Code {
    let Err(failure) = caught(body).flatten() else {
        return Code::Ok;
    };
    let code = failure.code();
    if !error_out.is_null() {
        // SAFETY: non-NULL outputs are valid for a write (header: conventions).
        unsafe { *error_out = Box::into_raw(Box::new(failure)) };
    }
    code
}

/// Runs what may panic, and makes an error of the panic.
pub(crate) fn caught<T>(body: impl FnOnce() -> T) -> Result<T> {
    silence_panics();
    // Unwind safety: shared state is behind mutexes (`shell`), which remember a panic and answer
    // with an error from then on; everything else the closure owns is dropped by the unwinding.
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| match payload.downcast::<Error>() {
        // An error that could get here in no other way (`import_limits`).
        Ok(error) => *error,
        Err(payload) => Error::new(Code::Panic, panic_message(payload.as_ref())),
    })
}

/// The message is in the returned error; the library itself prints nothing. The hook belongs to
/// this library's own copy of the standard library: a Rust program that loads it keeps its hook.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_hook(Box::new(|_| {})));
}

pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    format!(
        "the library panicked, which is a bug in it: {}",
        panic_text(payload)
    )
}

/// What a panic says.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A shared object; NULL is an error that names the parameter.
pub(crate) fn borrow<'a, T>(object: *const T, name: &str) -> Result<&'a T> {
    peek(object).ok_or_else(|| Error::invalid_argument(format!("{name} is NULL")))
}

/// A shared object, or nothing for NULL.
pub(crate) fn peek<'a, T>(object: *const T) -> Option<&'a T> {
    // SAFETY: a non-NULL object pointer came from `give` and was not freed (header: conventions).
    // Only `&T` is ever handed out, and T guards its own mutation, so aliasing is fine.
    unsafe { object.as_ref() }
}

/// A list of shared objects; (NULL, 0) is empty.
pub(crate) fn objects<'a, T>(list: *const *const T, len: usize, name: &str) -> Result<Vec<&'a T>> {
    slice(list, len, name)?
        .iter()
        .enumerate()
        .map(|(i, object)| borrow(*object, &format!("{name}[{i}]")))
        .collect()
}

/// Bytes that C lends for the duration of the call; (NULL, 0) is empty.
pub(crate) fn bytes<'a>(data: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    slice(data, len, name)
}

/// Items that C lends for the duration of the call; (NULL, 0) is empty.
pub(crate) fn slice<'a, T>(data: *const T, len: usize, name: &str) -> Result<&'a [T]> {
    if data.is_null() {
        return if len == 0 {
            Ok(&[])
        } else {
            Err(Error::invalid_argument(format!(
                "{name} is NULL, but its length is {len}"
            )))
        };
    }
    if len > isize::MAX as usize / size_of::<T>() {
        return Err(Error::invalid_argument(format!(
            "the length of {name} is {len}, more than any memory can hold"
        )));
    }
    // SAFETY: `data` points to `len` items that stay as they are during the call (header:
    // conventions); it is not NULL and the length is in range (just checked).
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Text that C lends for the duration of the call.
pub(crate) fn text<'a>(data: *const u8, len: usize, name: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes(data, len, name)?).map_err(|e| {
        Error::invalid_argument(format!(
            "{name} is not UTF-8: invalid byte at offset {}",
            e.valid_up_to()
        ))
    })
}

/// Text for a language engine that ends it at the first NUL: such text is refused, not cut.
pub(crate) fn text_without_nul<'a>(data: *const u8, len: usize, name: &str) -> Result<&'a str> {
    let text = text(data, len, name)?;
    match text.bytes().position(|byte| byte == 0) {
        None => Ok(text),
        Some(offset) => Err(Error::invalid_argument(format!(
            "{name} contains a NUL byte at offset {offset}"
        ))),
    }
}

/// An output parameter that is known not to be NULL.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    pub(crate) fn new(target: *mut T, name: &str) -> Result<Self> {
        if target.is_null() {
            return Err(Error::invalid_argument(format!("{name} is NULL")));
        }
        Ok(Self(target))
    }

    pub(crate) fn set(self, value: T) {
        // SAFETY: non-NULL (checked in `new`) outputs are valid for a write (header: conventions).
        // `write` does not drop what was there: outputs may be uninitialised.
        unsafe { ptr::write(self.0, value) };
    }
}

impl<T> Out<*mut T> {
    /// Hands an object to C, which gives it back to `free`.
    pub(crate) fn give(self, object: T) {
        self.set(Box::into_raw(Box::new(object)));
    }
}

/// Writes an output that the caller may not want.
pub(crate) fn set_if_wanted<T>(target: *mut T, value: T) {
    if let Ok(out) = Out::new(target, "") {
        out.set(value);
    }
}

/// Lends items, of text mostly, to C, which must not use them after their owner is freed. Empty is (NULL, 0).
pub(crate) fn lend<T>(items: &[T], data: *mut *const T, len: *mut usize) {
    let start = if items.is_empty() {
        ptr::null()
    } else {
        items.as_ptr()
    };
    // SAFETY: non-NULL outputs are valid for a write (header: conventions).
    unsafe {
        if !data.is_null() {
            ptr::write(data, start);
        }
        if !len.is_null() {
            ptr::write(len, items.len());
        }
    }
}

/// Hands bytes to C, which gives them back to `hljs_buffer_free`. Empty is (NULL, 0).
pub(crate) fn give_bytes(bytes: Vec<u8>, data: Out<*mut u8>, len: Out<usize>) {
    len.set(bytes.len());
    data.set(if bytes.is_empty() {
        ptr::null_mut()
    } else {
        Box::into_raw(bytes.into_boxed_slice()).cast()
    });
}

/// Takes back what `give_bytes` gave.
pub(crate) fn free_bytes(data: *mut u8, len: usize) {
    if !data.is_null() {
        let bytes = ptr::slice_from_raw_parts_mut(data, len);
        // SAFETY: pointer and length are those of one `give_bytes`, and this is their only way back
        // (header: conventions).
        drop(unsafe { Box::from_raw(bytes) });
    }
}

/// Takes back what `give` gave. NULL is ignored. A panic in a destructor ends here.
pub(crate) fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: the pointer came from `give`, nobody uses it any more, and this is its only way
        // back (header: conventions).
        let object = unsafe { Box::from_raw(object) };
        silence_panics();
        // Unwind safety: nothing is left to look at after a failed drop.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(object)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn failure(body: impl FnOnce() -> Result<()>) -> Box<Error> {
        let mut error = ptr::null_mut();
        let code = guard(&mut error, body);
        assert!(!error.is_null());
        // SAFETY: `guard` just made it with Box::into_raw.
        let error = unsafe { Box::from_raw(error) };
        assert_eq!(error.code(), code);
        error
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let error = failure(|| panic!("boom {}", 7));
        assert_eq!(error.code(), Code::Panic);
        assert_eq!(
            error.message(),
            "the library panicked, which is a bug in it: boom 7"
        );
        let error = failure(|| std::panic::panic_any(3u8));
        assert!(error.message().ends_with("no message"));
    }

    #[test]
    fn a_caller_may_not_want_the_detail() {
        let code = guard(ptr::null_mut(), || Err(Error::invalid_argument("x")));
        assert_eq!(code, Code::InvalidArgument);
    }

    #[test]
    fn a_panicking_destructor_stays_inside() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }
        free(Box::into_raw(Box::new(Bad)));
    }

    #[test]
    fn null_and_zero_is_empty() {
        assert_eq!(bytes(ptr::null(), 0, "x").unwrap(), b"");
        let error = bytes(ptr::null(), 3, "event").unwrap_err();
        assert_eq!(error.message(), "event is NULL, but its length is 3");
        let error = bytes(b"x".as_ptr(), usize::MAX, "event").unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }

    #[test]
    fn bad_text_is_refused_with_its_offset() {
        let bad = b"ab\xffc";
        let error = text(bad.as_ptr(), bad.len(), "name").unwrap_err();
        assert_eq!(
            error.message(),
            "name is not UTF-8: invalid byte at offset 2"
        );
        let nul = b"abc\0d";
        assert!(text(nul.as_ptr(), nul.len(), "name").is_ok());
        let error = text_without_nul(nul.as_ptr(), nul.len(), "name").unwrap_err();
        assert_eq!(error.message(), "name contains a NUL byte at offset 3");
    }

    #[test]
    fn bytes_go_out_and_come_back() {
        let (mut data, mut len) = (ptr::null_mut(), 0);
        give_bytes(
            b"hello".to_vec(),
            Out::new(&mut data, "data").unwrap(),
            Out::new(&mut len, "len").unwrap(),
        );
        assert_eq!(bytes(data, len, "data").unwrap(), b"hello");
        free_bytes(data, len);
        give_bytes(
            Vec::new(),
            Out::new(&mut data, "data").unwrap(),
            Out::new(&mut len, "len").unwrap(),
        );
        assert!(data.is_null());
        assert_eq!(len, 0);
        free_bytes(data, len);
    }

    #[test]
    fn fuzz_text_is_utf_8() {
        let cases = prop_oneof![
            fuzz::text().prop_map(String::into_bytes),
            vec(any::<u8>(), 0..20)
        ];
        fuzz::holds(cases, |data| {
            let expected = String::from_utf8(data.clone()).ok();
            let (start, len) = (data.as_ptr(), data.len());
            assert_eq!(text(start, len, "x").ok(), expected.as_deref());
            let without_nul = expected.as_deref().filter(|_| !data.contains(&0));
            assert_eq!(text_without_nul(start, len, "x").ok(), without_nul);
        });
    }
}
