//! The sandboxes and handlers of all workloads.

use hyperlight_js::{JSSandbox, LoadedJSSandbox, ProtoJSSandbox, Result, SandboxBuilder, Script};

/// Returns its event.
pub const ECHO: &str = "function handler(event) { return event; }";
pub const EVENT: &str = r#"{"a":1}"#;

/// The handler and the event of upstream's own benchmarks.
pub const REDIRECT: &str = r#"
        function handler(event) {
            event.request.uri = "/redirected.html";
            return event
        }"#;
pub const REQUEST: &str = r#"
            {
                "request": {
                    "uri": "/index.html"
                }
            }"#;

/// A builder with the sizes that all contestants use.
pub fn builder() -> SandboxBuilder {
    SandboxBuilder::new()
        .with_guest_heap_size(8 << 20)
        .with_guest_scratch_size(16 << 20)
        .with_guest_input_buffer_size(1 << 20)
        .with_guest_output_buffer_size(1 << 20)
}

pub fn boot() -> Result<JSSandbox> {
    builder().build()?.load_runtime()
}

/// A sandbox with one handler, called "handler".
pub fn start(source: &str) -> Result<LoadedJSSandbox> {
    load(boot()?, source)
}

pub fn start_proto(proto: ProtoJSSandbox, source: &str) -> Result<LoadedJSSandbox> {
    load(proto.load_runtime()?, source)
}

fn load(mut sandbox: JSSandbox, source: &str) -> Result<LoadedJSSandbox> {
    sandbox.add_handler("handler", Script::from_content(source))?;
    sandbox.get_loaded_sandbox()
}

pub fn call(loaded: &mut LoadedJSSandbox, event: &str, gc: bool) -> Result<()> {
    loaded.handle_event("handler", event.to_string(), Some(gc))?;
    Ok(())
}

/// JavaScript of 40 kB: many small functions, the first of which answers.
pub fn library() -> String {
    let mut source = String::new();
    let mut i = 0;
    while source.len() < 40_000 {
        source += &format!(
            "function f{i}(x) {{ let y = x + {i}; for (const c of \"f{i}\") y = (y * 31 + c.charCodeAt(0)) % 65521; return y; }}\n"
        );
        i += 1;
    }
    source + "function handler(event) { return f0(event.a); }\n"
}
