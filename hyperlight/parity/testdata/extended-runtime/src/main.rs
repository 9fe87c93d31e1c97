//! Upstream's JavaScript runtime, and native modules and globals that it does not have.
//! `./build.sh --runtime FOLDER` builds such a crate and embeds it.
#![no_std]
#![no_main]

extern crate alloc;

use rquickjs::{Ctx, Result};

/// `import { add, multiply } from "math"`
#[rquickjs::module(rename_vars = "camelCase")]
mod math {
    #[rquickjs::function]
    pub fn add(a: f64, b: f64) -> f64 {
        a + b
    }

    #[rquickjs::function]
    pub fn multiply(a: f64, b: f64) -> f64 {
        a * b
    }
}

/// `import { greet } from "greeting"`
#[rquickjs::module(rename_vars = "camelCase")]
mod greeting {
    use alloc::string::String;

    #[rquickjs::function]
    pub fn greet() -> String {
        String::from("hello from test module")
    }
}

hyperlight_js_runtime::native_modules! {
    "math" => js_math,
    "greeting" => js_greeting,
}

/// Globals run before upstream freezes `console`, so they may add to it.
fn set_up_console(ctx: &Ctx<'_>) -> Result<()> {
    ctx.eval("console.warn = console.log; console.error = console.log;")
}

fn set_up_constants(ctx: &Ctx<'_>) -> Result<()> {
    let globals = ctx.globals();
    globals.set("CUSTOM_GLOBAL_TEST", 42)?;
    globals.set("TEST_CUSTOM_GLOBAL", 99)
}

hyperlight_js_runtime::custom_globals! {
    set_up_console,
    set_up_constants,
}

// Upstream's library holds the guest's entry point. Without a reference from here the linker drops it.
unsafe extern "C" {
    fn hyperlight_main();
}

#[used]
static ENTRY: unsafe extern "C" fn() = hyperlight_main;
