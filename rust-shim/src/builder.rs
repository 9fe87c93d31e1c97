//! `hljs_builder`: upstream's `SandboxBuilder`.

use std::ffi::c_void;
use std::time::Duration;

use crate::callback::{DropFn, PrintFn, Printer};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::hypervisor;
use crate::logs;
use crate::metrics;
use crate::proto_sandbox::ProtoSandbox;
use crate::room;
use crate::settings::Settings;
use crate::shell::Shell;

/// The options of a sandbox to be.
pub struct Builder(Shell<Options>);

#[derive(Default)]
struct Options {
    settings: Settings,
    printer: Option<Printer>,
    debugging_port: Option<u16>,
}

/// Upstream compiles its gdb stub into debug builds only.
const CAN_DEBUG: bool = cfg!(all(feature = "gdb", debug_assertions));

/// Makes a builder with upstream's defaults: heap 4 MiB, scratch 1 MiB, input and output buffer
/// 16 KiB each, interrupt retry delay 500 us, signal offset 0, and no print function, which drops
/// what the guest prints (upstream's own default is the process's standard output).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_new(
    builder: *mut *mut Builder,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        Out::new(builder, "builder")?.give(Builder(Shell::new("the builder", Options::default())));
        Ok(())
    })
}

/// Sets the size of the guest's heap in bytes; at least 4 MiB. Every snapshot copies the heap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_heap_size(
    builder: *const Builder,
    bytes: u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || set(builder, |settings| settings.set_heap(bytes)))
}

/// Sets the size of the scratch region in bytes; at least 1 MiB, in pages of 4 KiB. It holds both buffers and every
/// page that the guest has written to since it was booted or last restored, and is wiped at
/// every restore.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_scratch_size(
    builder: *const Builder,
    bytes: u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        set(builder, |settings| settings.set_scratch(bytes))
    })
}

/// Sets the size of the buffer from host to guest in bytes; at least 8 KiB. It bounds events,
/// scripts, and results of host functions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_input_buffer_size(
    builder: *const Builder,
    bytes: u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        set(builder, |settings| settings.set_input_buffer(bytes))
    })
}

/// Sets the size of the buffer from guest to host in bytes; at least 8 KiB. It bounds results of
/// handlers, and arguments of host functions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_output_buffer_size(
    builder: *const Builder,
    bytes: u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        set(builder, |settings| settings.set_output_buffer(bytes))
    })
}

/// Sets how long an interrupt waits before it signals the guest's thread again. Whoever interrupts waits as long,
/// and one thread repeats interrupts for all sandboxes, so do not make it longer than a few milliseconds. 0 counts as 1,
/// the shortest pause that the kernel knows: signals queue up, and without a pause they can come faster than the guest's
/// thread takes them, so that it does nothing else and the guest never stops.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_interrupt_retry_delay(
    builder: *const Builder,
    nanoseconds: u64,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        set(builder, |settings| {
            settings.interrupt_retry_delay = Duration::from_nanos(nanoseconds.max(1));
            Ok(())
        })
    })
}

/// Sets which signal interrupts a guest: SIGRTMIN plus `offset`. All sandboxes of a process should use
/// the same, and leave it at 0 unless something else in the process owns SIGRTMIN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_interrupt_signal_offset(
    builder: *const Builder,
    offset: u8,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        set(builder, |settings| {
            // Upstream knows which signals there are; a size that is too big is for the build to refuse.
            let wanted = Settings {
                interrupt_signal_offset: offset,
                ..Settings::default()
            };
            wanted.builder()?;
            settings.interrupt_signal_offset = offset;
            Ok(())
        })
    })
}

/// Sets the function that takes what the guest prints; the last call wins. The builder takes over
/// `user_data`: `drop` (NULL: nothing to release) runs exactly once, also when this call fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_print(
    builder: *const Builder,
    print: PrintFn,
    user_data: *mut c_void,
    drop: DropFn,
    error: *mut *mut Error,
) -> Code {
    let printer = Printer::new(print, user_data, drop);
    ffi::guard(error, || {
        if printer.is_null() {
            return Err(Error::invalid_argument("print is NULL"));
        }
        ffi::borrow(builder, "builder")?.0.with(|options| {
            options.printer = Some(printer);
            Ok(())
        })
    })
}

/// Turns core dumps of the guest on or off, those on request too; they are on if this is not called.
/// When a guest crashes (not when it is stopped), a file `hl_core_<local time>.elf` appears in the
/// folder that the environment variable HYPERLIGHT_CORE_DUMP_DIR names, or, if it is not set or there
/// is no such folder, in the one for temporary files. It holds the guest's whole memory, secrets
/// included, and nobody removes it. `HLJS_CODE_UNSUPPORTED` without the feature `crashdump`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_crashdump_enabled(
    builder: *const Builder,
    enabled: u32,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        set(builder, |settings| {
            Settings::need_crashdump_feature()?;
            settings.crashdump = enabled != 0;
            Ok(())
        })
    })
}

/// Makes the guest wait for gdb on a TCP port of localhost: it stops at its first instruction, in
/// `hljs_proto_sandbox_load_runtime`, until a debugger has connected and lets it go on. If the port is
/// taken, it does not wait. `HLJS_CODE_UNSUPPORTED` unless the library was built with the feature `gdb` and
/// debug assertions, as `./build.sh --features gdb` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_set_debugging_port(
    builder: *const Builder,
    port: u16,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        ffi::borrow(builder, "builder")?.0.with(|options| {
            if !CAN_DEBUG {
                return Err(Error::unsupported(
                    "debugging guests",
                    "gdb, with debug assertions",
                ));
            }
            options.debugging_port = Some(port);
            Ok(())
        })
    })
}

/// Reads the options back. Each output may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_get_config(
    builder: *const Builder,
    heap_size: *mut u64,
    scratch_size: *mut u64,
    input_buffer_size: *mut u64,
    output_buffer_size: *mut u64,
    interrupt_retry_delay: *mut u64,
    interrupt_signal_offset: *mut u8,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let settings = ffi::borrow(builder, "builder")?
            .0
            .with(|options| Ok(options.settings))?;
        settings.give_sizes(
            heap_size,
            scratch_size,
            input_buffer_size,
            output_buffer_size,
        );
        ffi::set_if_wanted(interrupt_retry_delay, settings.retry_delay_nanoseconds());
        ffi::set_if_wanted(interrupt_signal_offset, settings.interrupt_signal_offset);
        Ok(())
    })
}

/// Makes a sandbox without a JavaScript runtime. Consumes the builder, also on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_build(
    builder: *const Builder,
    sandbox: *mut *mut ProtoSandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sandbox = Out::new(sandbox, "sandbox")?;
        let options = ffi::borrow(builder, "builder")?.0.take()?;
        // The guest's text goes to the caller's function or nowhere; never to standard output.
        let printer = options.printer;
        let print = move |text: String| {
            if let Some(printer) = &printer {
                printer.print(&text);
            }
            Ok(0)
        };
        let upstream = options.settings.builder()?.with_host_print_fn(print.into());
        #[cfg(all(feature = "gdb", debug_assertions))]
        let upstream = match options.debugging_port {
            Some(port) => upstream.with_debugging_enabled(port),
            None => upstream,
        };
        hypervisor::check()?;
        room::for_a_snapshot(options.settings.heap)?;
        metrics::before_sandbox();
        logs::subscribe();
        let proto = upstream.build().map_err(|e| {
            let error = Error::from(e);
            match error.code() {
                // Upstream does not say which memory.
                Code::MemoryTooSmall => error.with_note(
                    "the scratch size has to hold both buffers and the page tables of the heap",
                ),
                _ => error,
            }
        })?;
        sandbox.give(ProtoSandbox::new(proto, options.settings));
        Ok(())
    })
}

/// Frees a builder. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_builder_free(builder: *mut Builder) {
    ffi::free(builder);
}

fn set(builder: *const Builder, change: impl FnOnce(&mut Settings) -> Result<()>) -> Result<()> {
    ffi::borrow(builder, "builder")?
        .0
        .with(|options| change(&mut options.settings))
}
