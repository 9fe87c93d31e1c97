//! Link arguments that Cargo has no key for, and what this build is, for src/version.rs.

use std::path::Path;
use std::{env, fs};

use sha2::{Digest, Sha256};

fn main() {
    // Upstream installs its interrupt handler without SA_ONSTACK, which Go forbids.
    // The linker redirects every call of sigaction in this library to src/signal.rs.
    println!("cargo:rustc-link-arg=-Wl,--wrap=sigaction");

    // For tests: src/kill_count.rs sees each signal that is sent, upstream's too.
    if env::var_os("CARGO_FEATURE_COUNT_KILLS").is_some() {
        println!("cargo:rustc-link-arg=-Wl,--wrap=pthread_kill");
    }

    // Only the ABI is exported, whatever a dependency marks as #[no_mangle].
    // Asked when this runs, not when it is compiled: checkouts may share what cargo has compiled.
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let exports = format!("{folder}/exports.map");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={exports}");
    // rustc passes a version script of its own, and GNU ld cannot combine the two; lld can.
    // Where rustc does not bring lld, an `ld.lld` must be on PATH (build.sh sees to it).
    println!("cargo:rustc-cdylib-link-arg=-fuse-ld=lld");
    println!("cargo:rerun-if-changed=exports.map");

    // A program that is linked with one ABI version must not be given another one when it starts.
    let version = format!("{folder}/src/version.rs");
    let soname = format!("libhyperlight_js_capi.so.{}", abi_version(&version));
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    println!("cargo:rerun-if-changed=src/version.rs");

    println!("cargo:rerun-if-changed=build.rs");
    println!(
        "cargo:rustc-env=HLJS_BUILD_FEATURES={}",
        enabled_features().join(",")
    );
    println!(
        "cargo:rustc-env=HLJS_BUILD_RUNTIME={}",
        runtime(&Path::new(&folder).join("../Cargo.lock"))
    );
}

/// HLJS_ABI_VERSION, which this file defines.
fn abi_version(file: &str) -> u32 {
    let source = fs::read_to_string(file).expect("src/version.rs is there");
    source
        .lines()
        .find_map(|line| line.strip_prefix("pub const HLJS_ABI_VERSION: u32 = "))
        .and_then(|value| value.strip_suffix(';')?.parse().ok())
        .expect("src/version.rs defines HLJS_ABI_VERSION, a number")
}

/// The optional features of this build, sorted, in the spelling of Cargo.toml.
fn enabled_features() -> Vec<String> {
    const OPTIONAL: [&str; 4] = ["crashdump", "gdb", "print_debug", "trace_guest"];
    OPTIONAL
        .iter()
        .filter(|name| env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some())
        .map(|name| (*name).to_owned())
        .collect()
}

/// Which guest runtime upstream's build script embeds: its own, or the file that this variable names.
/// build.sh names a file in either case, since it keeps upstream's guest, and says when it is that.
fn runtime(lock: &Path) -> String {
    println!("cargo:rerun-if-env-changed=HYPERLIGHT_JS_RUNTIME_PATH");
    println!("cargo:rerun-if-env-changed=HLJS_RUNTIME_IS_UPSTREAM");
    println!("cargo:rerun-if-changed={}", lock.display());
    match env::var("HYPERLIGHT_JS_RUNTIME_PATH") {
        Ok(path)
            if !path.trim().is_empty() && env::var_os("HLJS_RUNTIME_IS_UPSTREAM").is_none() =>
        {
            println!("cargo:rerun-if-changed={path}");
            let runtime = fs::read(&path).expect("HYPERLIGHT_JS_RUNTIME_PATH names a file");
            let hash: String = Sha256::digest(runtime)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("custom, sha256 {hash}")
        }
        _ => format!("hyperlight-js-runtime {}", runtime_version(lock)),
    }
}

/// The version of upstream's runtime in the lock file.
fn runtime_version(lock: &Path) -> String {
    let lock = fs::read_to_string(lock).expect("the workspace has a Cargo.lock");
    let mut lines = lock.lines();
    lines
        .find(|line| *line == "name = \"hyperlight-js-runtime\"")
        .and_then(|_| lines.next())
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .expect("Cargo.lock names hyperlight-js-runtime and its version")
        .to_owned()
}
