//! Bytes that the library made and the caller owns.

use crate::ffi;

/// Frees bytes that a function of this library gave out. (NULL, 0) is ignored.
/// Pointer and length must be those that were given out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_buffer_free(data: *mut u8, len: usize) {
    ffi::free_bytes(data, len);
}
