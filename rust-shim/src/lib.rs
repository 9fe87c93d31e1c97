//! The C ABI of hyperlight-js: `libhyperlight_js_capi.so`.
//!
//! This room knows upstream's Rust types and C; it never sees Go. One file holds one C type; the
//! header lists them in the order of the modules below, and so does the Go package `capi`. What
//! every function here has in common (ownership, slices, the panic boundary) lives in `ffi`, and
//! the conventions that callers read are the head comment of `hyperlight_js.h`, whose text is in
//! `cbindgen.toml`.
//!
//! `unsafe` is confined to `ffi` (pointers from C), `callback` (pointers to C), `signal`
//! (sigaction), `hypervisor` (ioctl), `room` (mmap), `snapshot_memory` (upstream's page tables),
//! `kill_count` (pthread_kill, for tests) and the one-line exports that call them. Every exported
//! function is `unsafe` because it trusts the caller's pointers as far as the header's conventions
//! say; that is the contract behind each `unsafe extern "C"` here and is not repeated at every
//! function.
#![allow(clippy::missing_safety_doc)] // The contract is the paragraph above and the header.
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

// The ABI, in the order of the header.
mod version;
mod code;
mod buffer;
mod error;
mod callback;
mod metrics;
mod logs;
mod builder;
mod host_call;
mod file_system;
mod proto_sandbox;
mod context;
mod sandbox;
mod monitor;
mod loaded_sandbox;
mod batch;
mod interrupt_handle;
mod snapshot;

// What it stands on.
mod batch_monitor;
mod exception;
mod ffi;
mod guest_error;
mod hush;
mod hypervisor;
mod import_limits;
mod interrupt;
mod json;
mod log_layer;
mod log_ring;
mod monitor_threads;
mod recorder;
mod refusal;
mod repeater;
mod room;
mod settings;
mod shell;
mod signal;
mod snapshot_error;
mod snapshot_memory;
mod snapshot_sizes;
mod stats;
mod trigger;

#[cfg(feature = "count_kills")]
mod kill_count;

#[cfg(test)]
mod fake_vm;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod header;
