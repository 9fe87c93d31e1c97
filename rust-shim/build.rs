//! Link arguments that Cargo has no key for.

fn main() {
    // Upstream installs its interrupt handler without SA_ONSTACK, which Go forbids.
    // The linker redirects every call of sigaction in this library to src/signal.rs.
    println!("cargo:rustc-link-arg=-Wl,--wrap=sigaction");

    // Only the ABI is exported, whatever a dependency marks as #[no_mangle].
    // Asked when this runs, not when it is compiled: checkouts may share what cargo has compiled.
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let exports = format!("{folder}/exports.map");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={exports}");
    // rustc passes a version script of its own, and GNU ld cannot combine the two; lld can.
    // Where rustc does not bring lld, an `ld.lld` must be on PATH (build.sh sees to it).
    println!("cargo:rustc-cdylib-link-arg=-fuse-ld=lld");
    println!("cargo:rerun-if-changed=exports.map");

    println!("cargo:rerun-if-changed=build.rs");
    println!(
        "cargo:rustc-env=HLJS_BUILD_FEATURES={}",
        enabled_features().join(",")
    );
}

/// The optional features of this build, sorted, in the spelling of Cargo.toml.
fn enabled_features() -> Vec<String> {
    const OPTIONAL: [&str; 3] = ["gdb", "print_debug", "trace_guest"];
    OPTIONAL
        .iter()
        .filter(|name| std::env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some())
        .map(|name| (*name).to_owned())
        .collect()
}
