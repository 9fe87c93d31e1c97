//! The C ABI of hyperlight-js: `libhyperlight_js_capi.so`.
//!
//! This room knows upstream's Rust types and C; it never sees Go. One file holds one C type; the
//! header lists them in the order of the modules below, and so does the Go package `capi`. What
//! every function here has in common (ownership, slices, the panic boundary) lives in `ffi`, and
//! the conventions that callers read are the head comment of `hyperlight_js.h`, whose text is in
//! `cbindgen.toml`.
//!
//! `unsafe` is confined to `ffi` (pointers from C), `callback` (pointers to C), `signal`
//! (sigaction) and the one-line exports that call them. Every exported function is `unsafe` because
//! it trusts the caller's pointers as far as the header's conventions say; that is the contract
//! behind each `unsafe extern "C"` here and is not repeated at every function.
#![allow(clippy::missing_safety_doc)] // The contract is the paragraph above and the header.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

// The ABI, in the order of the header.
mod version;
mod code;
mod buffer;
mod error;
mod callback;
mod builder;
mod proto_sandbox;
mod sandbox;
mod loaded_sandbox;
mod snapshot;

// What it stands on.
mod ffi;
mod guest_error;
mod settings;
mod shell;
mod signal;
mod snapshot_error;
mod snapshot_sizes;

#[cfg(test)]
mod header;
