//! `hljs_snapshot`: upstream's `Snapshot`, the state of a loaded sandbox between two calls.

use std::sync::{Arc, Mutex, PoisonError};

use hyperlight_host::HyperlightError;
use hyperlight_host::sandbox::snapshot::{OciReference, OciTag, Snapshot as UpstreamSnapshot};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::hypervisor;
use crate::settings::Settings;
use crate::snapshot_error;
use crate::snapshot_memory;
use crate::snapshot_sizes;

/// The state of a loaded sandbox between two calls: guest memory, handlers and modules included. It
/// belongs to no sandbox, never changes, and serves any number of threads at a time.
pub struct Snapshot {
    upstream: Arc<UpstreamSnapshot>,
    /// Of these, the sizes: restoring the snapshot adopts them.
    settings: Settings,
}

impl Snapshot {
    pub(crate) fn new(upstream: Arc<UpstreamSnapshot>, settings: Settings) -> Self {
        Self { upstream, settings }
    }

    pub(crate) fn upstream(&self) -> Arc<UpstreamSnapshot> {
        Arc::clone(&self.upstream)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Saves a snapshot under a tag in an OCI image layout, the folder `dir`, and gives the digest of its
/// manifest, text like `sha256:...`, which names this very snapshot for ever. The folder is created if
/// need be, its parent is not; snapshots under other tags stay. A tag that exists is moved: the old
/// snapshot's files stay on disk, but unless it has another tag it can be loaded no more.
///
/// Saves of one process take turns. Different processes must not save into one folder at a time: the
/// last one to finish would drop the others' tags. A file is bound to the architecture, the
/// hypervisor, the CPU vendor and the version of upstream that wrote it, and holds all of the guest's
/// memory, secrets included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_snapshot_save(
    snapshot: *const Snapshot,
    dir: *const u8,
    dir_len: usize,
    tag: *const u8,
    tag_len: usize,
    digest: *mut *mut u8,
    digest_len: *mut usize,
    error: *mut *mut Error,
) -> Code {
    /// Upstream reads a layout's index, adds to it and replaces it, without a lock.
    static SAVING: Mutex<()> = Mutex::new(());

    ffi::guard(error, || {
        let dir = ffi::text_without_nul(dir, dir_len, "the folder")?;
        let tag = ffi::text(tag, tag_len, "the tag")?;
        let digest = Out::new(digest, "digest")?;
        let digest_len = Out::new(digest_len, "digest_len")?;
        let snapshot = ffi::borrow(snapshot, "snapshot")?;
        let tag = OciTag::new(tag).map_err(bad_reference)?;
        // Upstream keeps the folder valid at every step, so a panic in the middle left no disorder.
        let turn = SAVING.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = snapshot
            .upstream
            .save(dir, &tag)
            .map_err(snapshot_error::saving)?;
        drop(turn);
        ffi::give_bytes(saved.as_str().as_bytes().to_vec(), digest, digest_len);
        Ok(())
    })
}

/// Loads a snapshot from an OCI image layout, by its tag or its digest. With `verify` other than 0 the
/// SHA-256 sums of all its files are checked first: that finds damage, not forgery, so load only
/// what you trust. Unverified, sizes and structure are still checked, and a damaged guest can
/// still not leave its micro-VM.
///
/// The snapshot's memory stays mapped from its file while the snapshot, or a sandbox that it was
/// restored into, lives: the file must not be changed or cut meanwhile, or the process may die of
/// SIGBUS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_snapshot_load(
    dir: *const u8,
    dir_len: usize,
    reference: *const u8,
    reference_len: usize,
    verify: u32,
    snapshot: *mut *mut Snapshot,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let dir = ffi::text_without_nul(dir, dir_len, "the folder")?;
        let reference = ffi::text(reference, reference_len, "the reference")?;
        let snapshot = Out::new(snapshot, "snapshot")?;
        let reference: OciReference = reference.parse().map_err(bad_reference)?;
        snapshot.give(load(dir, &reference, verify != 0)?);
        Ok(())
    })
}

/// Reads the sizes in bytes that a sandbox has once this snapshot is restored into it. Each output may
/// be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_snapshot_get_config(
    snapshot: *const Snapshot,
    heap_size: *mut u64,
    scratch_size: *mut u64,
    input_buffer_size: *mut u64,
    output_buffer_size: *mut u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let settings = ffi::borrow(snapshot, "snapshot")?.settings;
        settings.give_sizes(
            heap_size,
            scratch_size,
            input_buffer_size,
            output_buffer_size,
        );
        Ok(())
    })
}

/// Tells how many bytes of guest memory the snapshot holds, page tables included. Sandboxes that it was
/// restored into share them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_snapshot_size(
    snapshot: *const Snapshot,
    size: *mut u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let size = Out::new(size, "size")?;
        let snapshot = ffi::borrow(snapshot, "snapshot")?;
        let found = snapshot_memory::size(&*snapshot.upstream, &snapshot.settings);
        size.set(found.ok_or_else(|| {
            Error::new(
                Code::Internal,
                "the snapshot's memory does not end in page tables",
            )
        })?);
        Ok(())
    })
}

/// Frees a snapshot. Sandboxes that it was restored into keep what they need of it. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_snapshot_free(snapshot: *mut Snapshot) {
    ffi::free(snapshot);
}

/// Loads a snapshot and its sizes, which upstream keeps to itself.
fn load(dir: &str, reference: &OciReference, verify: bool) -> Result<Snapshot> {
    /// Nobody moves a tag that often.
    const ATTEMPTS: usize = 5;

    for _ in 0..ATTEMPTS {
        // The sizes belong to the digest that they were found by, whatever becomes of the tag.
        if let Some((digest, settings)) = snapshot_sizes::find(dir.as_ref(), reference) {
            // Upstream asks for it when it has read as much.
            hypervisor::check()?;
            if let Ok(upstream) = load_upstream(dir, digest.into(), verify) {
                return Ok(Snapshot::new(Arc::new(upstream), settings));
            }
        }
        // Upstream says best why it cannot be loaded; unless the tag has just been moved.
        load_upstream(dir, reference.clone(), verify).map_err(snapshot_error::loading)?;
    }
    Err(Error::new(
        Code::SnapshotIo,
        format!("the OCI layout {dir:?} changes while {reference} is loaded from it"),
    ))
}

fn load_upstream(
    dir: &str,
    reference: OciReference,
    verify: bool,
) -> hyperlight_host::Result<UpstreamSnapshot> {
    if verify {
        UpstreamSnapshot::checked_load(dir, reference)
    } else {
        UpstreamSnapshot::load(dir, reference)
    }
}

fn bad_reference(error: HyperlightError) -> Error {
    Error::from(error).with_code(Code::InvalidArgument)
}
