//! The warm call of bench/, on upstream's Rust API: the baseline of the bindings. See ../README.md.

use std::time::Instant;

use hyperlight_js::{Result, SandboxBuilder, Script};

const WARM_UP: u32 = 200;
const CALLS: u32 = 1000;

fn main() -> Result<()> {
    let mut sandbox = SandboxBuilder::new()
        .with_guest_heap_size(8 << 20)
        .with_guest_scratch_size(16 << 20)
        .with_guest_input_buffer_size(1 << 20)
        .with_guest_output_buffer_size(1 << 20)
        .build()?
        .load_runtime()?;
    sandbox.add_handler(
        "handler",
        Script::from_content("function handler(event) { return event; }"),
    )?;
    let mut loaded = sandbox.get_loaded_sandbox()?;
    for gc in [false, true] {
        let mut run = |calls| -> Result<()> {
            for _ in 0..calls {
                loaded.handle_event("handler", r#"{"a":1}"#.to_string(), Some(gc))?;
            }
            Ok(())
        };
        run(WARM_UP)?;
        let start = Instant::now();
        run(CALLS)?;
        println!("rust gc={gc} {}", (start.elapsed() / CALLS).as_nanos());
    }
    Ok(())
}
