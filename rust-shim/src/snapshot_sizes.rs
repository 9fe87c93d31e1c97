//! The sizes that a snapshot on disk was taken with. Upstream reads them too, to lay out the guest's
//! memory, but does not tell; a caller wants to know what a restored sandbox can take. They are in
//! the snapshot's config, JSON which the manifest points to, which the index points to.
//!
//! Nothing here is checked that upstream checks: what cannot be found is left to upstream to explain.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hyperlight_host::sandbox::snapshot::{OciDigest, OciReference};
use serde_json::Value;

use crate::settings::Settings;

/// Upstream's limit for each of these files.
const MAX_JSON: u64 = 1 << 20;

const TAG: &str = "org.opencontainers.image.ref.name";

/// The digest that a reference stands for at this moment, and the sizes of the snapshot of that digest.
pub(crate) fn find(dir: &Path, reference: &OciReference) -> Option<(OciDigest, Settings)> {
    let digest = match reference {
        OciReference::Digest(digest) => digest.clone(),
        OciReference::Tag(tag) => tagged(&read_json(&dir.join("index.json"))?, tag.as_str())?,
    };
    let manifest = read_blob(dir, &digest)?;
    let config = read_blob(dir, &descriptor_digest(&manifest["config"])?)?;
    let size = |name: &str| config["layout"][name].as_u64();
    let settings = Settings {
        heap: size("heap_size")?,
        scratch: size("scratch_size")?,
        input_buffer: size("input_data_size")?,
        output_buffer: size("output_data_size")?,
        ..Settings::default()
    };
    Some((digest, settings))
}

fn tagged(index: &Value, tag: &str) -> Option<OciDigest> {
    let descriptors = index["manifests"].as_array()?.iter();
    let mut found = descriptors.filter(|d| d["annotations"][TAG] == tag);
    match (found.next(), found.next()) {
        (Some(one), None) => descriptor_digest(one),
        _ => None,
    }
}

/// Parsing it makes sure that it is a file name.
fn descriptor_digest(descriptor: &Value) -> Option<OciDigest> {
    descriptor["digest"].as_str()?.parse().ok()
}

fn read_blob(dir: &Path, digest: &OciDigest) -> Option<Value> {
    let name = digest.as_str().strip_prefix("sha256:")?;
    read_json(&dir.join("blobs").join("sha256").join(name))
}

/// Like upstream, this follows no link, waits for no pipe, and reads no more than the limit.
fn read_json(path: &Path) -> Option<Value> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    let len = file.take(MAX_JSON + 1).read_to_end(&mut text).ok()?;
    if len as u64 > MAX_JSON {
        return None;
    }
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::fs;
    use std::path::PathBuf;

    const CONFIG: &str = r#"{"layout":{"heap_size":5242881,"scratch_size":3145728,
        "input_data_size":20000,"output_data_size":30000,"pt_size":null},"more":[1]}"#;

    /// A layout with one snapshot, tagged "v1", removed with the test.
    struct Layout(PathBuf);

    impl Layout {
        fn new(test: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("hljs-{}-{test}", std::process::id()));
            let layout = Self(dir);
            fs::create_dir_all(layout.blob("a").parent().unwrap()).unwrap();
            fs::write(layout.blob("b"), CONFIG).unwrap();
            let manifest = format!(r#"{{"config":{{"digest":"{}"}}}}"#, digest("b"));
            fs::write(layout.blob("a"), manifest).unwrap();
            layout.write_index(&digest("a"));
            layout
        }

        fn write_index(&self, digest: &str) {
            let index = format!(
                r#"{{"manifests":[{{"digest":"sha256:x"}},{{"digest":"{digest}","annotations":{{"{TAG}":"v1"}}}}]}}"#
            );
            fs::write(self.0.join("index.json"), index).unwrap();
        }

        fn blob(&self, letter: &str) -> PathBuf {
            self.0.join("blobs/sha256").join(letter.repeat(64))
        }

        fn find(&self, reference: &str) -> Option<(OciDigest, Settings)> {
            find(&self.0, &reference.parse().unwrap())
        }
    }

    impl Drop for Layout {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn digest(letter: &str) -> String {
        format!("sha256:{}", letter.repeat(64))
    }

    #[test]
    fn sizes_are_found_by_tag_and_by_digest() {
        let layout = Layout::new("found");
        for reference in ["v1", &digest("a")] {
            let (found, settings) = layout.find(reference).unwrap();
            assert_eq!(found.as_str(), digest("a"));
            assert_eq!(settings.heap, 5_242_881);
            assert_eq!(settings.scratch, 3_145_728);
            assert_eq!(settings.input_buffer, 20_000);
            assert_eq!(settings.output_buffer, 30_000);
        }
        assert!(layout.find("v2").is_none());
        assert!(layout.find(&digest("c")).is_none());
    }

    #[test]
    fn a_tag_given_twice_is_not_found() {
        let layout = Layout::new("twice");
        let path = layout.0.join("index.json");
        let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let tagged = index["manifests"][1].clone();
        index["manifests"].as_array_mut().unwrap().push(tagged);
        fs::write(path, index.to_string()).unwrap();
        assert!(layout.find("v1").is_none());
    }

    #[test]
    fn what_is_damaged_is_not_found() {
        let layout = Layout::new("damaged");
        for bad in ["sha256:../../index.json", "sha512:00", ""] {
            layout.write_index(bad);
            assert!(layout.find("v1").is_none(), "{bad}");
        }
        layout.write_index(&digest("a"));
        assert!(layout.find("v1").is_some());
        for bad in [
            "",
            "[]",
            r#"{"layout":{"heap_size":-1}}"#,
            &CONFIG[..CONFIG.len() - 1],
            &format!("{CONFIG}{}", " ".repeat(1 << 20)),
        ] {
            fs::write(layout.blob("b"), bad).unwrap();
            assert!(layout.find("v1").is_none(), "{bad:.40}");
        }
        fs::remove_file(layout.blob("b")).unwrap();
        std::os::unix::fs::symlink(layout.0.join("index.json"), layout.blob("b")).unwrap();
        assert!(layout.find("v1").is_none());
        fs::remove_file(layout.blob("b")).unwrap();
        fs::create_dir(layout.blob("b")).unwrap();
        assert!(layout.find("v1").is_none());
    }

    // What is found is what the files say, or nothing, and no file outside of the folder is looked for.
    #[test]
    fn fuzz_damaged_files_say_nothing_wrong() {
        let layout = Layout::new("fuzz");
        let files = [
            layout.0.join("index.json"),
            layout.blob("a"),
            layout.blob("b"),
        ];
        let whole = files.clone().map(|path| fs::read(path).unwrap());
        let damage = (
            0..3_usize,
            any::<prop::sample::Index>(),
            0..12_usize,
            vec(any::<u8>(), 0..12),
        );
        fuzz::holds(
            (any::<[u64; 4]>(), prop::option::of(damage)),
            |(sizes, damage)| {
                let config = serde_json::json!({ "layout": {
                    "heap_size": sizes[0], "scratch_size": sizes[1],
                    "input_data_size": sizes[2], "output_data_size": sizes[3],
                }});
                let mut contents = [
                    whole[0].clone(),
                    whole[1].clone(),
                    config.to_string().into_bytes(),
                ];
                if let Some((file, index, length, bytes)) = &damage {
                    let start = index.index(contents[*file].len());
                    let end = (start + length).min(contents[*file].len());
                    contents[*file].splice(start..end, bytes.iter().copied());
                }
                files
                    .iter()
                    .zip(&contents)
                    .for_each(|(path, data)| fs::write(path, data).unwrap());
                let found = layout.find("v1");
                assert!(found.is_some() || damage.is_some());
                let Some((digest, settings)) = found else {
                    return;
                };
                assert_eq!(
                    digest,
                    self::digest("a").parse().unwrap(),
                    "there is no other manifest"
                );
                let damaged = damage.is_some_and(|(file, ..)| file == 2);
                let found = [
                    settings.heap,
                    settings.scratch,
                    settings.input_buffer,
                    settings.output_buffer,
                ];
                let wrong = found
                    .iter()
                    .zip(sizes)
                    .filter(|(found, size)| *found != size)
                    .count();
                assert!(
                    wrong == 0
                        || damaged
                            && found.iter().all(|n| {
                                String::from_utf8_lossy(&contents[2]).contains(&n.to_string())
                            })
                );
            },
        );
    }
}
