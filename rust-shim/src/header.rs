//! The committed header is what cbindgen makes of this crate.

use std::path::Path;

#[test]
fn regenerating_the_header_changes_nothing() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = crate_dir.join("../capi/hyperlight_js.h");
    let mut generated = Vec::new();
    cbindgen::generate(crate_dir)
        .expect("cbindgen reads the crate")
        .write(&mut generated);
    let generated = String::from_utf8(generated).expect("the header is UTF-8");

    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&header, &generated).expect("the header is written");
    }
    let committed = std::fs::read_to_string(&header).unwrap_or_default();
    assert!(
        committed == generated,
        "capi/hyperlight_js.h is not what rust-shim says; run \
         `UPDATE_HEADER=1 cargo test -p hyperlight-js-capi header` and look at the difference"
    );
}
