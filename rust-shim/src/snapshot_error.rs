//! What upstream's text says about a snapshot on disk. Upstream reports everything that goes wrong with
//! files as text, so this file knows its fixed phrases and nothing else does. They stand at the
//! beginning; what comes from outside, paths and tags, stands behind them in quotes. A text that is
//! not known stays an internal error.

use hyperlight_host::HyperlightError;
use hyperlight_host::mem::shared_mem::SharedMemoryError;

use crate::code::Code;
use crate::error::Error;

// How failures of saving and of loading begin.

/// Snapshots are bound to a hypervisor, so upstream asks which one there is.
const NO_HYPERVISOR: [&str; 1] = ["no hypervisor available "];

/// What was asked for is not there.
const NOT_FOUND: [&str; 3] = [
    "no manifest tagged ",
    "no manifest with digest ",
    "load path ", // ... is not a directory
];

/// It is there, but not for this host or this version.
const INCOMPATIBLE: [&str; 10] = [
    "snapshot architecture mismatch: ",
    "snapshot ABI version mismatch: ",
    "snapshot hypervisor mismatch: ",
    "snapshot CPU vendor mismatch: ",
    "unsupported OCI image layout version ",
    "unsupported OCI index schemaVersion ",
    "unsupported OCI manifest schemaVersion ",
    "unexpected config media type ",
    "unexpected snapshot layer media type ",
    "save: existing imageLayoutVersion ",
];

/// It is damaged.
const CORRUPT: [&str; 29] = [
    "oci-layout is not valid JSON: ",
    "oci-layout missing imageLayoutVersion field",
    "failed to parse index.json: ",
    "OCI index has unexpected media type ",
    "OCI layout ",              // ... has multiple manifests tagged ...
    "manifest descriptor for ", // ... has unexpected media type ...
    "OCI descriptor digest ",
    "OCI manifest size mismatch: ",
    "manifest blob digest mismatch: ",
    "failed to parse OCI manifest JSON: ",
    "OCI manifest has unexpected media type ",
    "OCI manifest artifactType ",
    "OCI manifest is missing required artifactType ",
    "expected exactly one OCI layer ",
    "config blob size mismatch: ",
    "config blob digest mismatch: ",
    "failed to parse Hyperlight config JSON: ",
    "snapshot blob ", // ... size mismatch, digest mismatch, size ... disagrees
    "snapshot memory_size ",
    "snapshot snapshot_size ",
    "snapshot pt_size ",
    "snapshot layout ",
    "snapshot entrypoint addr ",
    "snapshot original entrypoint addr ",
    "snapshot stack_top_gva ",
    "snapshot init_data_permissions ",
    "mapped snapshot size ",
    "save: existing oci-layout is ",
    "save: existing index.json is ",
];

/// The file system failed, or a file would grow beyond what can be read back.
const IO: [&str; 6] = [
    "save: ",
    "atomic write: ",
    "failed to create OCI blobs dir ",
    "config blob of ", // ... exceeds the ... byte maximum ...
    "manifest blob of ",
    "index.json of ",
];

/// What stands in front of the failures of reading a file.
const READING: [&str; 4] = [
    "failed to read oci-layout: ",
    "failed to read index.json: ",
    "save: failed to read existing oci-layout: ",
    "save: failed to read existing index.json: ",
];

/// An `hljs_snapshot_save` that failed.
pub(crate) fn saving(error: HyperlightError) -> Error {
    classified(error)
}

/// An `hljs_snapshot_load` that failed.
pub(crate) fn loading(error: HyperlightError) -> Error {
    match size_failure(&error) {
        Some(code) => Error::from(error).with_code(code),
        None => classified(error),
    }
}

/// An `hljs_loaded_sandbox_snapshot` or an `hljs_loaded_sandbox_restore` that failed.
pub(crate) fn taking_or_restoring(error: HyperlightError) -> Error {
    match size_failure(&error) {
        Some(code) => Error::from(error).with_code(code),
        None => Error::from(error),
    }
}

/// Sizes that contradict each other. Snapshots that were taken here
/// have sizes that work, so the first kind comes from a file.
fn size_failure(error: &HyperlightError) -> Option<Code> {
    match error {
        HyperlightError::MemoryRequestTooBig(..)
        | HyperlightError::MemoryRequestTooSmall(..)
        | HyperlightError::SharedMemory(SharedMemoryError::MemoryRequest(..)) => {
            Some(Code::SnapshotCorrupt)
        }
        HyperlightError::SharedMemory(SharedMemoryError::FileMetadata(_)) => Some(Code::SnapshotIo),
        _ => None,
    }
}

fn classified(error: HyperlightError) -> Error {
    let is_text = matches!(error, HyperlightError::Error(_));
    let error = Error::from(error);
    match code(error.message()) {
        Some(code) if is_text => error.with_code(code),
        _ => error,
    }
}

fn code(text: &str) -> Option<Code> {
    // A folder without this file is no layout at all.
    if text.starts_with("failed to read oci-layout: blob file ") {
        return Some(Code::SnapshotNotFound);
    }
    if text.starts_with("load failed to stat ") {
        return Some(match os_error(text) {
            Some(libc::ENOENT | libc::ENOTDIR) => Code::SnapshotNotFound,
            _ => Code::SnapshotIo,
        });
    }
    let reading = READING.iter().find_map(|words| text.strip_prefix(words));
    if let Some(code) = reading_failure(reading.unwrap_or(text)) {
        return Some(code);
    }
    // In this order: "save: " alone is the least that is known.
    let kinds: [(&[&str], Code); 5] = [
        (&NO_HYPERVISOR, Code::NoHypervisor),
        (&NOT_FOUND, Code::SnapshotNotFound),
        (&INCOMPATIBLE, Code::SnapshotIncompatible),
        (&CORRUPT, Code::SnapshotCorrupt),
        (&IO, Code::SnapshotIo),
    ];
    let begins = |words: &[&str]| words.iter().any(|words| text.starts_with(words));
    let (_, code) = kinds.iter().find(|(words, _)| begins(words))?;
    Some(*code)
}

/// Files that cannot be read: missing ones, and those that are no files, are damage to the layout.
fn reading_failure(text: &str) -> Option<Code> {
    let corrupt = text.starts_with("blob file \"") && text.ends_with(" not found")
        || text.starts_with('"') && text.ends_with(" is not a regular file")
        || text.starts_with("file \"") && text.contains(" exceeds maximum allowed ");
    if corrupt {
        return Some(Code::SnapshotCorrupt);
    }
    let io = [
        "failed to open ",
        "failed to stat ",
        "failed to read ",
        "failed to seek ",
        "failed to rewind ",
    ];
    let failed = io.iter().any(|words| text.starts_with(words));
    failed.then(|| match os_error(text) {
        // A symbolic link, or a socket, in the place of a file.
        Some(libc::ELOOP | libc::ENXIO) => Code::SnapshotCorrupt,
        _ => Code::SnapshotIo,
    })
}

/// The number in "(os error 2)", with which Rust ends the text of such an error.
fn os_error(text: &str) -> Option<i32> {
    let (_, number) = text.strip_suffix(')')?.rsplit_once("(os error ")?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;

    /// Each text that upstream's `sandbox/snapshot/file` can make, with stand-ins for what varies.
    #[test]
    fn upstreams_texts() {
        for (code, texts) in [
            (
                Code::NoHypervisor,
                &[
                    "no hypervisor available to load snapshot",
                    "no hypervisor available to tag snapshot",
                ][..],
            ),
            (
                Code::SnapshotNotFound,
                &[
                    r#"load failed to stat "/a": No such file or directory (os error 2)"#,
                    r#"load failed to stat "/f/a": Not a directory (os error 20)"#,
                    r#"load path "/a" is not a directory"#,
                    r#"failed to read oci-layout: blob file "/a/oci-layout" not found"#,
                    r#"no manifest tagged "x" in OCI layout "/a". Available tags: ["v1"]"#,
                    r#"no manifest with digest sha256:00 in OCI layout "/a""#,
                ][..],
            ),
            (
                Code::SnapshotIncompatible,
                &[
                    r#"unsupported OCI image layout version "9" (expected "1.0.0")"#,
                    "unsupported OCI index schemaVersion 99 (expected 2)",
                    "unsupported OCI manifest schemaVersion 99 (expected 2)",
                    r#"unexpected config media type "x" (supported: "y")"#,
                    r#"unexpected snapshot layer media type "x" (supported: "y")"#,
                    "snapshot architecture mismatch: file is Aarch64, current host is X86_64",
                    "snapshot ABI version mismatch: file has version 9, this build expects 2.",
                    "snapshot hypervisor mismatch: file was created on MSHV",
                    "snapshot CPU vendor mismatch: file was created on x",
                    r#"save: existing imageLayoutVersion "9" is unsupported (expected "1.0.0")"#,
                ][..],
            ),
            (
                Code::SnapshotCorrupt,
                &[
                    r#"failed to read oci-layout: file "/a/oci-layout" exceeds maximum allowed 1048576 bytes"#,
                    r#"failed to read index.json: blob file "/a/index.json" not found"#,
                    r#"failed to read index.json: "/a/index.json" is not a regular file"#,
                    r#"blob file "/a/b" not found"#,
                    r#""/a/b" is not a regular file"#,
                    r#"file "/a/b" exceeds maximum allowed 1048576 bytes"#,
                    r#"failed to open "/a/b": Too many levels of symbolic links (os error 40)"#,
                    r#"failed to open "/a/b": No such device or address (os error 6)"#,
                    "oci-layout is not valid JSON: expected ident at line 1 column 2",
                    "oci-layout missing imageLayoutVersion field",
                    "failed to parse index.json: key must be a string",
                    "OCI index has unexpected media type x (expected y)",
                    r#"OCI layout "/a" has multiple manifests tagged "v1"; tags must be unique"#,
                    "manifest descriptor for v1 has unexpected media type x (expected y)",
                    r#"OCI descriptor digest "md5:0" is not a sha256 digest (only sha256 is supported)"#,
                    "OCI manifest size mismatch: descriptor says 1, file is 2",
                    "manifest blob digest mismatch: descriptor declares sha256:0, file hashes to sha256:1",
                    "failed to parse OCI manifest JSON: EOF",
                    "OCI manifest has unexpected media type x (expected y)",
                    r#"OCI manifest artifactType "x" does not match config media type "y""#,
                    r#"OCI manifest is missing required artifactType (expected "y")"#,
                    "expected exactly one OCI layer (the snapshot), found 0",
                    "config blob size mismatch: descriptor says 1, file is 2",
                    "config blob digest mismatch: descriptor declares sha256:0, file hashes to sha256:1",
                    "failed to parse Hyperlight config JSON: missing field `msrs`",
                    "snapshot blob size mismatch: file is 1 bytes, expected 2 (memory_size)",
                    "snapshot blob size 1 disagrees with OCI descriptor size 2",
                    "snapshot blob digest mismatch: descriptor declares sha256:0, file hashes to sha256:1",
                    "snapshot memory_size (0) is out of range",
                    "snapshot snapshot_size must be nonzero",
                    "snapshot snapshot_size (1) + pt_size (2), rounded to 3, does not equal memory_size (4)",
                    "snapshot pt_size is missing",
                    "snapshot layout field heap_size (1) exceeds maximum allowed 2",
                    "snapshot layout overflow: BASE_ADDRESS + code_size (1) does not fit in u64",
                    "snapshot entrypoint addr 0x1 is outside the code region [0x2, 0x3)",
                    "snapshot original entrypoint addr 0x1 is outside the snapshot region",
                    "snapshot stack_top_gva 0x1 is not 16-byte aligned",
                    "snapshot init_data_permissions 0x8 contains unknown flag bits",
                    "mapped snapshot size (1) does not match config memory_size (2)",
                    r#"save: failed to read existing oci-layout: "/x/oci-layout" is not a regular file"#,
                    "save: existing oci-layout is not valid JSON: EOF",
                    "save: existing oci-layout is missing imageLayoutVersion",
                    "save: existing index.json is not a valid OCI image index: EOF",
                ][..],
            ),
            (
                Code::SnapshotIo,
                &[
                    r#"load failed to stat "/a": Permission denied (os error 13)"#,
                    r#"failed to read oci-layout: failed to open "/a/oci-layout": Permission denied (os error 13)"#,
                    r#"failed to read index.json: failed to read "/a": Input/output error (os error 5)"#,
                    r#"failed to open "/a/b": Too many open files (os error 24)"#,
                    r#"failed to stat "/a/b": Input/output error (os error 5)"#,
                    "failed to stat snapshot blob: Input/output error (os error 5)",
                    "failed to seek snapshot blob: Input/output error (os error 5)",
                    "failed to read snapshot blob: Input/output error (os error 5)",
                    "failed to rewind snapshot blob: Input/output error (os error 5)",
                    "config blob of 2 bytes exceeds the 1 byte maximum for a snapshot artifact",
                    "manifest blob of 2 bytes exceeds the 1 byte maximum for a snapshot artifact",
                    "index.json of 2 bytes exceeds the 1 byte maximum for a snapshot artifact",
                    r#"save: parent directory "/x" not accessible: No such file or directory (os error 2)"#,
                    r#"save: parent of "/x/y" is not a directory"#,
                    r#"save: "/x" exists and is not a directory"#,
                    r#"save: failed to create layout dir "/x": Permission denied (os error 13)"#,
                    r#"save: failed to stat "/x/oci-layout": Permission denied (os error 13)"#,
                    r#"save: failed to read existing index.json: failed to open "/x": Permission denied (os error 13)"#,
                    r#"failed to create OCI blobs dir "/x/blobs/sha256": File exists (os error 17)"#,
                    r#"atomic write: failed to create tmp in "/x": No space left on device (os error 28) at path "/x/.tmp""#,
                ][..],
            ),
        ] {
            for text in texts {
                let error = loading(HyperlightError::Error((*text).to_owned()));
                assert_eq!(error.code(), code, "{text}");
                assert_eq!(error.message(), *text);
            }
        }
    }

    /// Names come from outside, and are quoted behind upstream's words.
    #[test]
    fn a_name_cannot_forge_a_text() {
        let text =
            r#"no manifest tagged "blob file \" not found" in OCI layout "/a": (os error 13)"#;
        assert_eq!(code(text), Some(Code::SnapshotNotFound));
        let text = r#"load path "snapshot ABI version mismatch: " is not a directory"#;
        assert_eq!(code(text), Some(Code::SnapshotNotFound));
    }

    #[test]
    fn the_unknown_stays_internal() {
        for text in ["", "something else", "a snapshot blob digest mismatch: "] {
            let error = loading(HyperlightError::Error(text.to_owned()));
            assert_eq!(error.code(), Code::Internal, "{text}");
        }
        let error = saving(HyperlightError::PoisonedSandbox);
        assert_eq!(error.code(), Code::Poisoned);
    }

    #[test]
    fn sizes_that_contradict_each_other_are_damage() {
        for convert in [loading, taking_or_restoring] {
            let error = convert(HyperlightError::MemoryRequestTooSmall(1, 2));
            assert_eq!(error.code(), Code::SnapshotCorrupt);
            assert_eq!(
                error.message(),
                "Memory requested 1 is less than the minimum size allowed 2"
            );
            let error = convert(SharedMemoryError::MemoryRequest(5, 0, 9, 4).into());
            assert_eq!(error.code(), Code::SnapshotCorrupt);
            let error = convert(SharedMemoryError::MmapFailed(Some(libc::ENOMEM)).into());
            assert_eq!(error.code(), Code::HostResources);
            let error = convert(HyperlightError::PoisonedSandbox);
            assert_eq!(error.code(), Code::Poisoned);
        }
    }

    // In each of upstream's texts a name stands in the place of NAME, quoted.
    #[test]
    fn fuzz_no_name_changes_a_code() {
        const TEXTS: [&str; 16] = [
            "load failed to stat NAME: No such file or directory (os error 2)",
            "load failed to stat NAME: Permission denied (os error 13)",
            "load path NAME is not a directory",
            "failed to read oci-layout: blob file NAME not found",
            "failed to read index.json: blob file NAME not found",
            "failed to read index.json: NAME is not a regular file",
            "failed to read index.json: file NAME is 9 bytes, which exceeds maximum allowed 1",
            "no manifest tagged NAME in OCI layout NAME. Available tags: [NAME]",
            "OCI layout NAME has multiple manifests tagged NAME",
            "unsupported OCI image layout version NAME (expected \"1.0.0\")",
            "unexpected config media type NAME",
            "OCI index has unexpected media type NAME",
            "failed to open NAME: Too many levels of symbolic links (os error 40)",
            "failed to stat NAME: Input/output error (os error 5)",
            "save: NAME exists and is not a directory",
            "atomic write: failed to create tmp in NAME: No space left (os error 28) at path NAME",
        ];
        let phrases = &[
            "\" not found",
            " is not a regular file",
            " exceeds maximum allowed ",
            "(os error 2)",
            "blob file \"",
            "snapshot ABI version mismatch: ",
            "load failed to stat ",
            "save: ",
        ];
        fuzz::holds(fuzz::text_of(phrases), |name| {
            for text in TEXTS {
                let plain = code(&text.replace("NAME", "\"x\""));
                assert!(plain.is_some(), "{text}");
                let text = text.replace("NAME", &format!("{name:?}"));
                assert_eq!(code(&text), plain, "{text}");
            }
        });
    }
}
