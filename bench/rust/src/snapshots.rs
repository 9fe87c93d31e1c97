//! Snapshots: taken, restored, saved to files and loaded from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use hyperlight_host::sandbox::snapshot::OciTag;
use hyperlight_js::{LoadedJSSandbox, Result, Snapshot};

use crate::harness::Harness;
use crate::sandboxes::{ECHO, EVENT, call, library, start};

pub fn measure(harness: &Harness) -> Result<()> {
    harness.measure("snapshot", "ns", || {
        let mut loaded = start(ECHO)?;
        harness.part(1, 5, || {
            call(&mut loaded, EVENT, true)?; // without it, the snapshot would be the one before
            let begin = Instant::now();
            drop(loaded.snapshot()?);
            Ok(begin.elapsed())
        })
    })?;
    harness.measure("restore", "ns", || {
        let mut loaded = start(ECHO)?;
        let snapshot = loaded.snapshot()?;
        harness.part(5, 30, || {
            call(&mut loaded, EVENT, true)?;
            let begin = Instant::now();
            loaded.restore(snapshot.clone())?;
            Ok(begin.elapsed())
        })
    })?;
    harness.measure("call_and_restore", "ns", || {
        let mut loaded = start(ECHO)?;
        let snapshot = loaded.snapshot()?;
        harness.each(5, 100, || {
            call(&mut loaded, EVENT, true)?;
            loaded.restore(snapshot.clone())
        })
    })?;
    let folder = Folder::new()?;
    files(harness, &folder.0)
}

fn files(harness: &Harness, folder: &Path) -> Result<()> {
    let tag = OciTag::new("bench")?;
    harness.measure("snapshot_save", "ns", || {
        let mut loaded = start(&library())?;
        let mut count = 0;
        harness.part(1, 2, || {
            // After a call it is another snapshot, and in a new folder nothing of it is there yet.
            call(&mut loaded, EVENT, true)?;
            let snapshot = loaded.snapshot()?;
            count += 1;
            let target = folder.join(count.to_string());
            let begin = Instant::now();
            snapshot.save(&target, &tag)?;
            let elapsed = begin.elapsed();
            fs::remove_dir_all(target)?;
            Ok(elapsed)
        })
    })?;
    let saved = folder.join("library");
    let unverified = || Snapshot::load(&saved, tag.clone()).map(Arc::new);
    let verified = || Snapshot::checked_load(&saved, tag.clone()).map(Arc::new);
    let save = || -> Result<LoadedJSSandbox> {
        if !saved.exists() {
            start(&library())?.snapshot()?.save(&saved, &tag)?;
        }
        start(ECHO)
    };
    harness.measure("snapshot_load_verified", "ns", || {
        let _booted = save()?;
        harness.each(1, 2, || verified().map(drop))
    })?;
    harness.measure("snapshot_load_unverified", "ns", || {
        let _booted = save()?;
        harness.each(1, 10, || unverified().map(drop))
    })?;
    harness.measure("snapshot_file_verified", "ns", || {
        let mut booted = save()?;
        harness.each(1, 2, || {
            booted.restore(verified()?)?;
            call(&mut booted, EVENT, true)
        })
    })?;
    harness.measure("snapshot_file", "ns", || {
        let mut booted = save()?;
        harness.each(1, 5, || {
            booted.restore(unverified()?)?;
            call(&mut booted, EVENT, true)
        })
    })
}

/// A folder for files, which goes with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("bench-rust-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
