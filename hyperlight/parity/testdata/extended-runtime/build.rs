//! A link argument that upstream's build script gives only to upstream's own program.

fn main() {
    // The guest's libc has no clock. Upstream's runtime defines __wrap_clock_gettime, which asks the host.
    println!("cargo:rustc-link-arg-bins=-wrap=clock_gettime");
    println!("cargo:rerun-if-changed=build.rs");
}
