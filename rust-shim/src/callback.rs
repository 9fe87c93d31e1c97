//! Functions that C gives us. The user data of each goes first in every call, and its `drop`
//! function runs exactly once: when upstream lets go of the function, or when the call that should
//! have stored it fails.

use std::ffi::c_void;

use crate::ffi;
use crate::file_system::File;
use crate::host_call::HostCall;

/// Takes what the guest prints. `text` is UTF-8, is borrowed for the call, and arrives in pieces as
/// the guest flushes them. Must not unwind.
pub type PrintFn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, text: *const u8, len: usize)>;

/// Does what the guest asks of a host function. `args` is a JSON array in UTF-8, in which `{"__bin__":N}`
/// stands for blob N, a `Uint8Array`. `blobs` holds them in upstream's format, all numbers `u32`,
/// little-endian: their count, and for each its length and its bytes; it is (NULL, 0) if there are none. A
/// guest can write such objects itself: one whose N is out of range is an object, any other names a
/// blob of the same call. All pointers are borrowed for the call. The answer goes to one of the
/// `hljs_host_call_` functions, from any thread as long as this function runs; without one the result
/// is `null`. Must not unwind.
pub type HostFn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        call: *const HostCall,
        args: *const u8,
        args_len: usize,
        blobs: *const u8,
        blobs_len: usize,
    ),
>;

/// Says what is at `path` in a tree of files: an `hljs_file_kind`; any other number means nothing.
/// `path` is relative to the root of the tree, which is `.` itself: elements that are neither empty nor
/// `.` or `..`, separated by slashes, at most 4096 bytes of UTF-8 without NUL. It is borrowed for the
/// call. Must not unwind.
pub type StatFn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, path: *const u8, path_len: usize) -> u32>;

/// Reads the file at `path`, which is as for `hljs_stat_fn`, and answers with `hljs_file_give` or
/// `hljs_file_fail`: once or more, the last answer counts, from any thread, before it returns. `file` is
/// lent for the call. There may be no such file: a package.json is read without asking `stat` first. More
/// than `max_len` bytes are refused for certain, and need not be read. Must not unwind.
pub type ReadFn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        file: *const File,
        path: *const u8,
        path_len: usize,
        max_len: usize,
    ),
>;

/// Releases user data. Must not unwind.
pub type DropFn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// User data and the function that releases it.
struct UserData {
    pointer: *mut c_void,
    drop: DropFn,
}

// SAFETY: the header tells callers that their callbacks and user data are used from any thread that
// runs the sandbox, never from two at a time.
unsafe impl Send for UserData {}
// SAFETY: as above; upstream wants it of host functions, and calls them one at a time.
unsafe impl Sync for UserData {}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: the caller gave this function for this pointer; this is its only call.
            unsafe { drop(self.pointer) };
        }
    }
}

/// A print function with its user data.
pub(crate) struct Printer {
    function: PrintFn,
    data: UserData,
}

impl Printer {
    /// Takes over the user data, whatever comes next.
    pub(crate) fn new(function: PrintFn, pointer: *mut c_void, drop: DropFn) -> Self {
        Self {
            function,
            data: UserData { pointer, drop },
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.function.is_none()
    }

    pub(crate) fn print(&self, text: &str) {
        if let Some(function) = self.function {
            // SAFETY: the caller gave this function for this pointer, which is alive until `drop`.
            unsafe { function(self.data.pointer, text.as_ptr(), text.len()) };
        }
    }
}

/// A host function with its user data.
pub(crate) struct HostFunction {
    function: HostFn,
    data: UserData,
}

impl HostFunction {
    /// Takes over the user data, whatever comes next.
    pub(crate) fn new(function: HostFn, pointer: *mut c_void, drop: DropFn) -> Self {
        Self {
            function,
            data: UserData { pointer, drop },
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.function.is_none()
    }

    pub(crate) fn call(&self, call: &HostCall, args: &str, blobs: &[u8]) {
        if let Some(function) = self.function {
            let (mut packed, mut packed_len) = (std::ptr::null(), 0);
            ffi::lend(blobs, &mut packed, &mut packed_len);
            // SAFETY: the caller gave this function for this pointer, which is alive until `drop`.
            unsafe {
                function(
                    self.data.pointer,
                    call,
                    args.as_ptr(),
                    args.len(),
                    packed,
                    packed_len,
                );
            }
        }
    }
}

/// The functions of a tree of files with their user data.
pub(crate) struct Tree {
    stat: StatFn,
    read: ReadFn,
    data: UserData,
}

impl Tree {
    /// Takes over the user data, whatever comes next.
    pub(crate) fn new(stat: StatFn, read: ReadFn, pointer: *mut c_void, drop: DropFn) -> Self {
        Self {
            stat,
            read,
            data: UserData { pointer, drop },
        }
    }

    /// The name of the function that is missing.
    pub(crate) fn null(&self) -> Option<&'static str> {
        match (self.stat, self.read) {
            (None, _) => Some("stat"),
            (_, None) => Some("read"),
            _ => None,
        }
    }

    pub(crate) fn stat(&self, path: &str) -> u32 {
        self.stat.map_or(0, |function| {
            // SAFETY: the caller gave this function for this pointer, which is alive until `drop`.
            unsafe { function(self.data.pointer, path.as_ptr(), path.len()) }
        })
    }

    /// The answer is left in `file`.
    pub(crate) fn read(&self, path: &str, max_len: usize, file: &File) {
        if let Some(function) = self.read {
            // SAFETY: as in `stat`. C uses `file` only during this call.
            unsafe { function(self.data.pointer, file, path.as_ptr(), path.len(), max_len) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    unsafe extern "C" fn count_bytes(user_data: *mut c_void, _text: *const u8, len: usize) {
        // SAFETY: the tests pass an AtomicUsize that outlives the printer.
        unsafe { &*user_data.cast::<AtomicUsize>() }.fetch_add(len, Ordering::Relaxed);
    }

    unsafe extern "C" fn add_thousand(user_data: *mut c_void) {
        // SAFETY: as above.
        unsafe { &*user_data.cast::<AtomicUsize>() }.fetch_add(1000, Ordering::Relaxed);
    }

    #[test]
    fn user_data_comes_along_and_is_dropped_once() {
        let counter = AtomicUsize::new(0);
        let pointer = (&raw const counter).cast_mut().cast();
        let printer = Printer::new(Some(count_bytes), pointer, Some(add_thousand));
        printer.print("abc");
        printer.print("de");
        assert_eq!(counter.load(Ordering::Relaxed), 5);
        drop(printer);
        assert_eq!(counter.load(Ordering::Relaxed), 1005);
    }
}
