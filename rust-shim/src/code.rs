//! The stable numbers of the ABI: what a call returned, and what state a sandbox is in.

use hyperlight_js::SandboxStatus;

/// The result of a fallible function. Numbers are stable: they are never reused or changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Code {
    /// Success; every output is written.
    Ok = 0,

    /// An argument is NULL, out of range, not UTF-8, or otherwise not what the function takes.
    InvalidArgument = 1,
    /// The object was consumed by an earlier transition; only `_free` is left.
    Consumed = 2,
    /// Another thread, or a callback further up this thread's stack, is inside the same object.
    Busy = 3,
    /// This build of the library lacks the feature that the function needs.
    Unsupported = 4,
    /// Rust code panicked. The object involved answers this code from now on, or "consumed" if that
    /// happened in a transition, and its status is unrecoverable.
    Panic = 5,
    /// Any other failure of the host side; the message says which.
    Internal = 6,

    /// No /dev/kvm and no /dev/mshv that this process may open.
    NoHypervisor = 20,
    /// A hypervisor is there, but it failed to create the micro-VM or to run the guest's first code.
    HypervisorUnusable = 21,
    /// A size exceeds what a sandbox may have.
    MemoryTooBig = 22,
    /// A size is below what a sandbox needs, or the scratch region cannot hold buffers and page tables.
    MemoryTooSmall = 23,

    /// The host has no memory or no file descriptors left for a micro-VM.
    HostResources = 24,

    /// A handler of this name was added before.
    HandlerExists = 40,
    /// No handler of this name was added, or none was loaded.
    HandlerNotFound = 41,
    /// A sandbox without any handler cannot be loaded.
    NoHandlers = 42,
    /// What was to be sent to the guest does not fit into the input buffer.
    BufferTooSmall = 43,
    /// The event, or the result of a host function, is not JSON.
    InvalidJson = 44,
    /// A module of this name and namespace was added before.
    ModuleExists = 45,
    /// No module of this name and namespace was added.
    ModuleNotFound = 46,

    /// JavaScript code threw.
    JsException = 60,
    /// The handler returned nothing that JSON can hold.
    NoValue = 61,
    /// The guest refused the call for another reason.
    GuestError = 62,

    /// The host stopped the guest. The sandbox is poisoned.
    Cancelled = 80,
    /// The guest aborted. The sandbox is poisoned.
    GuestAborted = 81,
    /// The guest aborted because its memory, heap or scratch, was used up. The sandbox is poisoned.
    OutOfMemory = 82,
    /// The guest touched memory that it may not touch. The sandbox is poisoned.
    AccessViolation = 83,
    /// The micro-VM failed while it ran. The sandbox is poisoned.
    VmFailure = 84,
    /// The sandbox is poisoned: restore or unload it.
    Poisoned = 85,
    /// The sandbox cannot be recovered: free it.
    Unrecoverable = 86,
    /// The guest aborted because a result does not fit into the output buffer. The sandbox is
    /// poisoned.
    OutputTooBig = 87,

    /// The snapshot needs host functions that the sandbox lacks, or has with another signature. The
    /// sandbox is as before.
    SnapshotMismatch = 110,
    /// The snapshot was saved on another architecture, hypervisor or CPU vendor, or by another version.
    SnapshotIncompatible = 111,
    /// The folder is no OCI image layout, or holds no snapshot of this tag or digest.
    SnapshotNotFound = 112,
    /// A file of the OCI image layout is missing, malformed, or not what its digest says.
    SnapshotCorrupt = 113,
    /// A file of the OCI image layout cannot be read or written.
    SnapshotIo = 114,
    /// A monitor could not start, so the handler was not run. The sandbox is as before.
    MonitorFailedToStart = 120,
    /// The process has used as many names of triggers as it can.
    TooManyTriggers = 121,
    /// The context was cancelled before the call, so the guest did not run. The sandbox is as before.
    ContextCancelled = 122,
    /// Metrics must be installed before the first call that builds a sandbox.
    TelemetryTooLate = 130,
    /// Metrics were not installed.
    MetricsDisabled = 131,
    /// Log records are being collected already.
    LogsRunning = 132,
    /// No log records are being collected, and all that were have been taken.
    LogsStopped = 133,
}

/// The state of a sandbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Status {
    /// The sandbox takes calls.
    Ready = 0,
    /// The guest was stopped in mid-run: only restoring or unloading helps.
    Poisoned = 1,
    /// Nothing helps.
    Unrecoverable = 2,
    /// A transition took the contents; only `_free` is left.
    Consumed = 3,
}

impl From<SandboxStatus> for Status {
    fn from(status: SandboxStatus) -> Self {
        match status {
            SandboxStatus::Ready => Self::Ready,
            SandboxStatus::Poisoned => Self::Poisoned,
            SandboxStatus::Unrecoverable => Self::Unrecoverable,
        }
    }
}

impl Status {
    /// The inverse of `as u32`; anything else is a bug of this crate, and reads as the worst state.
    pub(crate) fn from_u32(value: u32) -> Self {
        [Self::Ready, Self::Poisoned, Self::Consumed]
            .into_iter()
            .find(|status| *status as u32 == value)
            .unwrap_or(Self::Unrecoverable)
    }
}
