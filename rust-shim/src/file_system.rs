//! `hljs_file`, and the tree of files that the module loader reads: upstream's `FileSystem`.
//!
//! Upstream's resolver asks for paths in several spellings: `/a.js`, `./a.js`, `a.js`, depending on the base
//! path of the handler that imports. The guest would take each for a module of its own. So a path
//! that is not spelled as its canonical form, `a.js`, is a symbolic link to that, and the resolver, which
//! follows links, always ends at the same name. It is the name that upstream's own tree gives, and
//! differs from that of a handler `a` at the base path `/`. Other links are the tree's own affair.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flatbuffers::FlatBufferBuilder;
use hyperlight_common::flatbuffer_wrappers::function_types::{FunctionCallResult, ReturnValue};
use hyperlight_js::{FileMetadata, FileSystem, ResolveError};

use crate::callback::Tree;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi;
use crate::import_limits;
use crate::settings::{Effective, LONGEST_TEXT, Settings};

/// What a path leads to, as an `hljs_stat_fn` tells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum FileKind {
    /// Nothing, or nothing that may be read.
    Nothing = 0,
    /// A file.
    File = 1,
    /// A folder.
    Folder = 2,
}

impl FileKind {
    fn from_u32(value: u32) -> Self {
        [Self::File, Self::Folder]
            .into_iter()
            .find(|kind| *kind as u32 == value)
            .unwrap_or(Self::Nothing)
    }
}

/// A file that an `hljs_read_fn` was asked for. Lent to that call.
pub struct File {
    content: Content,
    answer: Mutex<std::result::Result<Vec<u8>, String>>,
}

/// What a file is read as.
#[derive(Clone, Copy)]
enum Content {
    /// A package.json, which stays on this side.
    Manifest,
    /// JavaScript for a guest with these settings.
    Module(Settings),
}

/// Longer paths do not exist. They travel through the input buffer, whose least size is twice that.
const LONGEST_PATH: usize = 4096;

/// Longer reasons are cut, for the same reason.
const LONGEST_REASON: usize = 1024;

/// Upstream parses a package.json as a whole, however long it is.
const LONGEST_MANIFEST: usize = 4 << 20;

/// Upstream parses a package.json by recursion, without a limit: the process would die of a deep one.
const DEEPEST_MANIFEST: usize = 64;

impl Content {
    /// No more bytes than these can pass `check`.
    fn max_len(self) -> usize {
        match self {
            Self::Manifest => LONGEST_MANIFEST,
            Self::Module(settings) => usize::try_from(settings.input_buffer).unwrap_or(usize::MAX),
        }
    }

    fn check(self, data: &[u8]) -> Result<()> {
        match self {
            Self::Manifest if data.len() > LONGEST_MANIFEST => Err(Error::new(
                Code::BufferTooSmall,
                format!(
                    "the package.json has {} bytes, more than {LONGEST_MANIFEST}",
                    data.len()
                ),
            )),
            Self::Manifest if nesting(data) > DEEPEST_MANIFEST => Err(Error::new(
                Code::InvalidJson,
                format!("the package.json is nested deeper than {DEEPEST_MANIFEST}"),
            )),
            Self::Manifest => Ok(()),
            Self::Module(settings) => {
                let text = ffi::text_without_nul(data.as_ptr(), data.len(), "the module")?;
                // A result that does not fit would poison the sandbox.
                settings.check_input("the module", encoded_len(text))
            }
        }
    }
}

impl File {
    fn new(content: Content) -> Self {
        Self {
            content,
            answer: Mutex::new(Err("the file system did not answer".to_owned())),
        }
    }

    fn give(&self, data: &[u8]) -> Result<()> {
        let checked = self.content.check(data);
        self.answer(match &checked {
            Ok(()) => Ok(data.to_vec()),
            Err(error) => Err(error.message().to_owned()),
        });
        checked
    }

    fn answer(&self, answer: std::result::Result<Vec<u8>, String>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn into_answer(self) -> io::Result<Vec<u8>> {
        let answer = self.answer.into_inner();
        answer
            .unwrap_or_else(PoisonError::into_inner)
            .map_err(|mut reason| {
                let whole = |end: &usize| reason.is_char_boundary(*end);
                let end = (0..=LONGEST_REASON).rev().find(whole).unwrap_or(0);
                reason.truncate(end);
                io::Error::other(reason)
            })
    }
}

/// Answers an `hljs_read_fn` with the file's content, which is copied. A module has to be UTF-8 without
/// NUL bytes, and has to fit into the input buffer (`HLJS_CODE_BUFFER_TOO_SMALL`); for a package.json
/// the limit is 4 MiB, and 64 for lists and objects within each other (`HLJS_CODE_INVALID_JSON`). What is
/// refused is answered with the reason of the refusal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_file_give(
    file: *const File,
    data: *const u8,
    data_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let data = ffi::bytes(data, data_len, "the content")?;
        ffi::borrow(file, "file")?.give(data)
    })
}

/// Answers an `hljs_read_fn` with the reason why the file cannot be read. The guest does not see it;
/// upstream's log does, up to 1024 bytes of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_file_fail(
    file: *const File,
    reason: *const u8,
    reason_len: usize,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let reason = ffi::text(reason, reason_len, "the reason")?;
        ffi::borrow(file, "file")?.answer(Err(reason.to_owned()));
        Ok(())
    })
}

/// A tree of files as upstream takes it. Upstream clones it, so what it holds is shared.
#[derive(Clone)]
pub(crate) struct FileTree(Option<Arc<Shared>>);

struct Shared {
    tree: Tree,
    settings: Arc<Effective>,
    memory: import_limits::Memory,
}

impl FileTree {
    pub(crate) fn of(tree: Tree, settings: Arc<Effective>) -> Self {
        Self(Some(Arc::new(Shared {
            tree,
            settings,
            memory: import_limits::Memory::default(),
        })))
    }

    fn shared(&self) -> io::Result<&Shared> {
        self.0.as_deref().ok_or_else(not_found)
    }

    /// The resolver asks this of every path that it remembers.
    fn stat(&self, path: &Path) -> io::Result<FileMetadata> {
        let shared = self.shared()?;
        shared.memory.charge(&path.to_string_lossy());
        guarded(|| {
            let name = rooted(path)?;
            let kind = FileKind::from_u32(shared.tree.stat(&name));
            if kind == FileKind::Nothing {
                return Err(not_found());
            }
            let (is_file, is_folder) = (kind == FileKind::File, kind == FileKind::Folder);
            Ok(FileMetadata::new(is_file, is_folder, false))
        })
    }

    fn fetch(&self, path: &Path, content: Content) -> io::Result<Vec<u8>> {
        guarded(|| {
            let name = rooted(path)?;
            let file = File::new(content);
            self.shared()?.tree.read(&name, content.max_len(), &file);
            file.into_answer()
        })
    }
}

impl FileSystem for FileTree {
    /// A tree without any file. Upstream's loader does not make its own, but the trait wants it to be able to.
    fn new() -> Self {
        Self(None)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.fetch(path, Content::Manifest)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        let data = self.fetch(path, Content::Module(self.shared()?.settings.get()))?;
        String::from_utf8(data).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.stat(path)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let target = self.stat(path)?;
        let is_link = path.as_os_str() != canonical(path)?.as_os_str();
        Ok(FileMetadata::new(
            target.is_file(),
            target.is_dir(),
            is_link,
        ))
    }

    /// Links would be relative to their own folders. The resolver asks for the canonical path instead.
    fn read_link(&self, _path: &Path) -> std::result::Result<PathBuf, ResolveError> {
        Err(io::Error::from(io::ErrorKind::InvalidInput).into())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        canonical(path)
    }
}

/// The one spelling of a path that is no link.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    Ok(match rooted(path)?.as_str() {
        "." => PathBuf::new(),
        name => PathBuf::from(name),
    })
}

/// The path relative to the root, which no `..` leads out of. A backslash separates as a slash does:
/// the guest makes slashes of them.
fn rooted(path: &Path) -> io::Result<String> {
    let invalid = |reason| io::Error::new(io::ErrorKind::InvalidInput, reason);
    let text = path.to_str().ok_or_else(|| invalid("not UTF-8"))?;
    if text.len() > LONGEST_PATH {
        return Err(invalid("longer than 4096 bytes"));
    }
    if text.contains('\0') {
        return Err(invalid("contains a NUL byte"));
    }
    let mut elements = Vec::new();
    for element in text.split(['/', '\\']) {
        match element {
            "" | "." => {}
            ".." => drop(elements.pop()),
            element => elements.push(element),
        }
    }
    Ok(if elements.is_empty() {
        ".".to_owned()
    } else {
        elements.join("/")
    })
}

/// Nothing may unwind into upstream, which holds a lock while it calls.
fn guarded<R>(body: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    // Unwind safety: the closures above own or lock what they change.
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(io::Error::other(ffi::panic_message(payload.as_ref()))))
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// How deep lists and objects are nested in a text, if it is JSON.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// How long the message is in which upstream hands the guest this text.
fn encoded_len(text: &str) -> usize {
    if text.len() > LONGEST_TEXT {
        return usize::MAX; // No message is that long.
    }
    let result = FunctionCallResult::new(Ok(ReturnValue::String(text.to_owned())));
    result
        .encode(&mut FlatBufferBuilder::with_capacity(text.len() + 512))
        .len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::ffi::{OsStr, c_void};
    use std::os::unix::ffi::OsStrExt;
    use std::ptr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What the callbacks below are given: files, what they were answered, how often they were dropped.
    #[derive(Default)]
    struct Files {
        files: BTreeMap<&'static str, Vec<u8>>,
        codes: Mutex<Vec<Code>>,
        dropped: AtomicUsize,
    }

    impl Files {
        fn of(files: &[(&'static str, &[u8])]) -> Self {
            Self {
                files: files.iter().map(|(k, v)| (*k, v.to_vec())).collect(),
                ..Self::default()
            }
        }

        fn tree(&self) -> FileTree {
            let pointer = ptr::from_ref(self).cast_mut().cast();
            let tree = Tree::new(Some(stat), Some(read), pointer, Some(count));
            FileTree::of(tree, Effective::new(Settings::default()))
        }

        fn metadata(&self, path: &str) -> io::Result<FileMetadata> {
            self.tree().metadata(Path::new(path))
        }
    }

    fn files<'a>(user_data: *mut c_void) -> &'a Files {
        // SAFETY: the tests pass a Files that outlives the tree.
        unsafe { &*user_data.cast() }
    }

    unsafe extern "C" fn stat(user_data: *mut c_void, path: *const u8, path_len: usize) -> u32 {
        let name = ffi::text(path, path_len, "path").unwrap();
        let folder = format!("{name}/");
        let files = &files(user_data).files;
        let kind = if files.contains_key(name) {
            FileKind::File
        } else if name == "." || files.keys().any(|key| key.starts_with(&folder)) {
            FileKind::Folder
        } else {
            FileKind::Nothing
        };
        kind as u32
    }

    unsafe extern "C" fn read(
        user_data: *mut c_void,
        file: *const File,
        path: *const u8,
        path_len: usize,
        _max_len: usize,
    ) {
        let name = ffi::text(path, path_len, "path").unwrap();
        let files = files(user_data);
        // SAFETY: pointers and lengths are those of slices; `file` is lent for this call.
        let code = unsafe {
            match files.files.get(name) {
                Some(data) => hljs_file_give(file, data.as_ptr(), data.len(), ptr::null_mut()),
                None => hljs_file_fail(file, name.as_ptr(), name.len(), ptr::null_mut()),
            }
        };
        files.codes.lock().unwrap().push(code);
    }

    unsafe extern "C" fn count(user_data: *mut c_void) {
        files(user_data).dropped.fetch_add(1, Ordering::Relaxed);
    }

    // Upstream's tests of its own tree (src/resolver.rs), under their names.

    #[test]
    fn test_file_read() {
        let files = Files::of(&[("test.js", b"console.log('hello');")]);
        let content = files.tree().read_to_string(Path::new("test.js")).unwrap();
        assert_eq!(content, "console.log('hello');");
    }

    #[test]
    fn test_directory_detection() {
        let files = Files::of(&[("foo/bar.js", b"content")]);
        let metadata = files.metadata("foo").unwrap();
        assert!(metadata.is_dir());
        assert!(!metadata.is_file());
    }

    #[test]
    fn test_file_metadata() {
        let files = Files::of(&[("test.js", b"content")]);
        let metadata = files.metadata("test.js").unwrap();
        assert!(metadata.is_file());
        assert!(!metadata.is_dir());
    }

    #[test]
    fn test_prefix_collision() {
        let files = Files::of(&[("foo.js", b"content1"), ("foobar.js", b"content2")]);
        assert!(files.metadata("foo").is_err());
        assert!(files.metadata("foo.js").unwrap().is_file());
    }

    #[test]
    fn test_not_found() {
        let files = Files::of(&[("exists.js", b"content")]);
        let result = files.tree().read_to_string(Path::new("missing.js"));
        assert!(result.is_err());
    }

    // Tests of what is ours.

    #[test]
    fn all_spellings_are_links_to_one() {
        let files = Files::of(&[("lib/x.js", b"content")]);
        let tree = files.tree();
        let one = Path::new("lib/x.js");
        assert!(!tree.symlink_metadata(one).unwrap().is_symlink());
        for spelling in [
            "/lib/x.js",
            "./lib/x.js",
            "/lib//x.js",
            "/lib/./x.js",
            "../lib/x.js",
            "/../../lib/x.js",
            "/a/../lib/x.js",
            r"lib\x.js",
            r"/..\..\lib\x.js",
        ] {
            let path = Path::new(spelling);
            let metadata = tree.symlink_metadata(path).unwrap();
            assert!(metadata.is_symlink(), "{spelling}");
            assert!(metadata.is_file(), "{spelling}");
            assert!(tree.read_link(path).is_err(), "{spelling}");
            assert_eq!(tree.canonicalize(path).unwrap(), one, "{spelling}");
            assert_eq!(tree.read(path).unwrap(), b"content", "{spelling}");
        }
        for root in ["", ".", "/", "..", "/..", "/lib/..", r"\"] {
            let path = Path::new(root);
            assert!(tree.metadata(path).unwrap().is_dir(), "{root}");
            assert_eq!(tree.canonicalize(path).unwrap(), Path::new(""), "{root}");
        }
    }

    #[test]
    fn paths_that_cannot_be_do_not_exist() {
        let files = Files::of(&[("a", b"content")]);
        let long = "a/../".repeat(LONGEST_PATH / 5) + "a";
        assert!(files.metadata(&long).is_ok());
        let too_long = format!("{long}/");
        for path in [
            OsStr::new("nothing"),
            OsStr::new("a\0"),
            OsStr::new(&too_long),
            OsStr::from_bytes(b"\xff"),
        ] {
            let (tree, path) = (files.tree(), Path::new(path));
            assert!(tree.metadata(path).is_err());
            assert!(tree.symlink_metadata(path).is_err());
            assert!(tree.read(path).is_err());
        }
    }

    #[test]
    fn numbers_that_mean_nothing_are_nothing() {
        assert_eq!(FileKind::from_u32(1), FileKind::File);
        assert_eq!(FileKind::from_u32(2), FileKind::Folder);
        for number in [0, 3, u32::MAX] {
            assert_eq!(FileKind::from_u32(number), FileKind::Nothing);
        }
    }

    #[test]
    fn content_that_no_guest_takes_is_refused_with_a_reason() {
        let files = Files::of(&[
            ("nul.js", b"a\0b"),
            ("bytes.js", b"ab\xff"),
            ("long.js", &[b'x'; 16 << 10]),
        ]);
        for (path, code, reason) in [
            (
                "nul.js",
                Code::InvalidArgument,
                "the module contains a NUL byte at offset 1",
            ),
            (
                "bytes.js",
                Code::InvalidArgument,
                "the module is not UTF-8: invalid byte at offset 2",
            ),
            (
                "long.js",
                Code::BufferTooSmall,
                "the module needs 16472 bytes of the input buffer, which has 16384",
            ),
        ] {
            let (tree, path) = (files.tree(), Path::new(path));
            let error = tree.read_to_string(path).unwrap_err();
            assert_eq!(error.to_string(), reason);
            assert_eq!(files.codes.lock().unwrap().pop(), Some(code));
            // Only a module has to please the guest.
            assert!(tree.read(path).is_ok());
        }
    }

    #[test]
    fn a_manifest_has_an_end() {
        let long = vec![b' '; LONGEST_MANIFEST + 1];
        let file = File::new(Content::Manifest);
        assert_eq!(file.give(&long).unwrap_err().code(), Code::BufferTooSmall);
        assert_eq!(
            file.into_answer().unwrap_err().to_string(),
            "the package.json has 4194305 bytes, more than 4194304"
        );
        let file = File::new(Content::Manifest);
        file.give(&long[1..]).unwrap();
        assert_eq!(file.into_answer().unwrap().len(), LONGEST_MANIFEST);
    }

    #[test]
    fn a_manifest_has_a_depth() {
        let deep = |open: &str, depth| open.repeat(depth).into_bytes();
        for open in ["[", r#"{"a":"#, r#"[{"\"]":"#] {
            let depth = 64 / open.matches(['[', '{']).count();
            let file = File::new(Content::Manifest);
            file.give(&deep(open, depth)).unwrap();
            let error = file.give(&deep(open, depth + 1)).unwrap_err();
            assert_eq!(error.code(), Code::InvalidJson);
            assert_eq!(
                file.into_answer().unwrap_err().to_string(),
                "the package.json is nested deeper than 64"
            );
        }
        let flat = format!(
            r#"{{"a":"{}","b":[{}1]}}"#,
            "[".repeat(100),
            "[],".repeat(100)
        );
        assert_eq!(nesting(flat.as_bytes()), 3);
    }

    #[test]
    fn the_last_answer_counts() {
        let file = File::new(Content::Manifest);
        file.give(b"one").unwrap();
        file.answer(Err("two".to_owned()));
        assert_eq!(file.into_answer().unwrap_err().to_string(), "two");
        let file = File::new(Content::Manifest);
        assert_eq!(
            file.into_answer().unwrap_err().to_string(),
            "the file system did not answer"
        );
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let file = File::new(Content::Manifest);
        file.answer(Err(format!("x{}", "é".repeat(LONGEST_REASON))));
        let reason = file.into_answer().unwrap_err().to_string();
        assert_eq!(reason.len(), LONGEST_REASON - 1);
    }

    #[test]
    fn clones_share_the_tree() {
        let files = Files::of(&[("x.js", b"content")]);
        let tree = files.tree();
        let clone = tree.clone();
        drop(tree);
        assert_eq!(files.dropped.load(Ordering::Relaxed), 0);
        assert!(clone.metadata(Path::new("x.js")).is_ok());
        drop(clone);
        assert_eq!(files.dropped.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_new_tree_is_empty() {
        let tree = <FileTree as FileSystem>::new();
        assert!(tree.metadata(Path::new("/")).is_err());
        assert!(tree.read(Path::new("/x")).is_err());
        assert!(tree.read_to_string(Path::new("/x")).is_err());
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = guarded(|| -> io::Result<()> { panic!("boom") }).unwrap_err();
        assert!(error.to_string().ends_with(": boom"));
    }

    /// What the elements of a path lead to, one after the other.
    fn walked(path: &str) -> String {
        let mut at = PathBuf::new();
        for element in path.replace('\\', "/").split('/') {
            match element {
                "" | "." => {}
                ".." => drop(at.pop()),
                name => at.push(name),
            }
        }
        let at = at.to_str().unwrap();
        if at.is_empty() {
            ".".to_owned()
        } else {
            at.to_owned()
        }
    }

    #[test]
    fn fuzz_no_path_leads_out() {
        let pieces = &[
            "/", "\\", "..", ".", "...", "a", "b.js", "//", "../..", "C:", "a/",
        ];
        let any_bytes = vec(any::<u8>(), 0..20);
        let cases = prop_oneof![
            3 => fuzz::text_of(pieces).prop_map(String::into_bytes),
            1 => fuzz::text_of(pieces).prop_map(|text| text.repeat(400).into_bytes()),
            1 => any_bytes,
        ];
        fuzz::holds(cases, |bytes| {
            let path = Path::new(OsStr::from_bytes(&bytes));
            let text = path
                .to_str()
                .filter(|text| text.len() <= LONGEST_PATH && !text.contains('\0'));
            let Some(text) = text else {
                return assert!(rooted(path).is_err() && canonical(path).is_err());
            };
            let name = rooted(path).unwrap();
            assert_eq!(name, walked(text));
            assert!(
                name == "." || name.split('/').all(|e| !["", ".", ".."].contains(&e)),
                "{name}"
            );
            assert!(!name.contains('\\') && name.len() <= text.len().max(1));
            // The one that is no link leads to itself.
            let one = canonical(path).unwrap();
            assert_eq!(canonical(&one).unwrap(), one);
            assert_eq!(rooted(&one).unwrap(), name);
        });
    }

    #[test]
    fn fuzz_the_depth_of_a_manifest() {
        fuzz::holds((fuzz::json(), 0..80_usize), |(value, more)| {
            let text = format!("{}{value:#}{}", "[".repeat(more), "]".repeat(more));
            let depth = more + fuzz::depth(&value);
            assert_eq!(nesting(text.as_bytes()), depth);
            let file = File::new(Content::Manifest);
            assert_eq!(
                file.give(text.as_bytes()).is_ok(),
                depth <= DEEPEST_MANIFEST
            );
        });
    }

    /// How deep a parser that stops at the first mistake gets.
    fn parsed(json: &[u8]) -> usize {
        use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
        use std::cell::Cell;
        use std::fmt;
        #[derive(Clone, Copy)]
        struct Level<'a>(usize, &'a Cell<usize>);
        impl<'a> Level<'a> {
            fn enter(self) -> Self {
                self.1.set(self.1.get().max(self.0 + 1));
                Self(self.0 + 1, self.1)
            }
        }
        impl<'de> DeserializeSeed<'de> for Level<'_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(
                self,
                input: D,
            ) -> std::result::Result<(), D::Error> {
                input.deserialize_any(self)
            }
        }
        impl<'de> Visitor<'de> for Level<'_> {
            type Value = ();
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> std::result::Result<(), E> {
                Ok(())
            }
            fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
                Ok(())
            }
            fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
                Ok(())
            }
            fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
                Ok(())
            }
            fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
                Ok(())
            }
            fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
                Ok(())
            }
            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> std::result::Result<(), A::Error> {
                let inside = self.enter();
                while items.next_element_seed(inside)?.is_some() {}
                Ok(())
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> std::result::Result<(), A::Error> {
                let inside = self.enter();
                while entries.next_key::<String>()?.is_some() {
                    entries.next_value_seed(inside)?;
                }
                Ok(())
            }
        }
        let deepest = Cell::new(0);
        let _ = Level(0, &deepest).deserialize(&mut serde_json::Deserializer::from_slice(json));
        deepest.get()
    }

    // Upstream's parser must not get deeper than what was counted, whatever is wrong with the text.
    #[test]
    fn fuzz_a_damaged_manifest_is_no_deeper() {
        let pieces = &[
            "[", "[[[", "{\"a\":", "]", "}", ",", "1", "\"", "\\\"", "\\u00", "\"[\"", "null",
        ];
        fuzz::holds(fuzz::text_of(pieces), |text| {
            assert!(
                parsed(text.as_bytes()) <= nesting(text.as_bytes()),
                "{text}"
            );
        });
    }

    #[test]
    fn fuzz_a_cut_reason_is_a_beginning() {
        fuzz::holds((fuzz::text(), 0..600_usize), |(text, times)| {
            let text = text.repeat(times);
            let file = File::new(Content::Manifest);
            file.answer(Err(text.clone()));
            let reason = file.into_answer().unwrap_err().to_string();
            assert!(text.starts_with(&reason));
            assert!(
                reason == text || (LONGEST_REASON - 3..=LONGEST_REASON).contains(&reason.len())
            );
        });
    }
}
