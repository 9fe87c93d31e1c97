//! `hljs_proto_sandbox`: upstream's `ProtoJSSandbox`, a sandbox without a JavaScript runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::sync::Arc;

use hyperlight_js::{JSSandbox, ProtoJSSandbox, Script};

use crate::callback::{DropFn, HostFn, HostFunction, ReadFn, StatFn, Tree};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi::{self, Out};
use crate::file_system::FileTree;
use crate::host_call;
use crate::hush::Hush;
use crate::hypervisor;
use crate::interrupt::Interrupter;
use crate::room;
use crate::sandbox::{self, Sandbox};
use crate::settings::{Effective, Settings};
use crate::shell::Shell;
use crate::signal;

/// A sandbox without a JavaScript runtime.
pub struct ProtoSandbox {
    shell: Shell<Contents>,
    settings: Arc<Effective>,
}

struct Contents {
    sandbox: ProtoJSSandbox,
    host_functions: HostFunctions,
}

/// The names of all host functions by module, which load_runtime sends to the guest in one message.
#[derive(Clone, Default)]
struct HostFunctions(BTreeMap<String, BTreeSet<String>>);

impl ProtoSandbox {
    pub(crate) fn new(sandbox: ProtoJSSandbox, settings: Settings) -> Self {
        let contents = Contents {
            sandbox,
            host_functions: HostFunctions::default(),
        };
        Self {
            shell: Shell::new("the proto sandbox", contents),
            settings: Effective::new(settings),
        }
    }
}

impl HostFunctions {
    /// The same names and one more, if the guest can be told about them.
    fn with(&self, module: &str, name: &str, settings: &Settings) -> Result<Self> {
        host_call::check_names(module, name, settings)?;
        let mut result = self.clone();
        result
            .0
            .entry(module.to_owned())
            .or_default()
            .insert(name.to_owned());
        let table = serde_json::json!(result.0).to_string();
        settings.check_input(
            "the table of host functions",
            sandbox::encoded_len("RegisterHostModules", &[&table]),
        )?;
        Ok(result)
    }
}

/// Registers a host function, which JavaScript imports from the module `module` under `name`. Both
/// names may be any text without a NUL byte, also empty. Of two functions with the same names the last
/// one counts. The proto sandbox takes over `user_data`: `drop` (NULL: nothing to release) runs exactly
/// once, also when this call fails: when another function takes the place of this one, or the
/// sandbox, whatever it is by then, is freed.
///
/// `HLJS_CODE_BUFFER_TOO_SMALL` when the names of all functions do not fit into the input buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_register(
    proto: *const ProtoSandbox,
    module: *const u8,
    module_len: usize,
    name: *const u8,
    name_len: usize,
    function: HostFn,
    user_data: *mut c_void,
    drop: DropFn,
    error: *mut *mut Error,
) -> Code {
    let function = HostFunction::new(function, user_data, drop);
    ffi::guard(error, || {
        // The guest's engine keeps both as C strings.
        let module = ffi::text_without_nul(module, module_len, "the module name")?;
        let name = ffi::text_without_nul(name, name_len, "the function name")?;
        if function.is_null() {
            return Err(Error::invalid_argument("function is NULL"));
        }
        let proto = ffi::borrow(proto, "proto")?;
        proto.shell.with(|contents| {
            contents.host_functions =
                contents
                    .host_functions
                    .with(module, name, &proto.settings.get())?;
            contents.sandbox.host_module(module).register_js(
                name,
                host_call::bridge(function, Arc::clone(&proto.settings)),
            );
            Ok(())
        })
    })
}

/// Gives the guest files to import, in a tree that `stat` and `read` make up; the last call wins. They
/// are called while the guest runs, in `hljs_sandbox_get_loaded_sandbox` and, for `import()`, in
/// `hljs_loaded_sandbox_handle_event` and `hljs_loaded_sandbox_handle_events`.
///
/// Modules are resolved as Node.js does it: `./x.js`, `../x.js` and `/x.js`, then with `.js` and `.mjs`
/// appended, then a folder's `package.json` ("main") or `index.js`; `pkg` and `pkg/x` in the
/// `node_modules` of the importer's folder and those above it, with the conditions "import" and "module"
/// for "exports" and "imports". No path leads out of the root. What was found, and what was not, is
/// remembered as long as the sandbox lives; a module is read once for each load. A guest that would make
/// that more than some 64 MiB, or imports a path of more than 2048 elements, is ended:
/// `HLJS_CODE_GUEST_ABORTED`, and its sandbox cannot be recovered.
///
/// The guest sees no reason for a failure, only `Error resolving module 'x' from 'y'` or
/// `Error loading module 'x'`, exceptions that it can catch.
///
/// The proto sandbox takes over `user_data`: `drop` (NULL: nothing to release) runs exactly once, when the
/// sandbox is freed or the loader is replaced, also when this call fails. Should upstream refuse the
/// loader, the proto sandbox is consumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_set_module_loader(
    proto: *const ProtoSandbox,
    stat: StatFn,
    read: ReadFn,
    user_data: *mut c_void,
    drop: DropFn,
    error: *mut *mut Error,
) -> Code {
    let tree = Tree::new(stat, read, user_data, drop);
    ffi::guard(error, || {
        if let Some(name) = tree.null() {
            return Err(Error::invalid_argument(format!("{name} is NULL")));
        }
        let proto = ffi::borrow(proto, "proto")?;
        let files = FileTree::of(tree, Arc::clone(&proto.settings));
        proto.shell.replace(|contents| {
            Ok(Contents {
                sandbox: contents.sandbox.set_module_loader(files)?,
                ..contents
            })
        })
    })
}

/// Boots the micro-VM and the JavaScript runtime in it, and loads and unloads an empty handler there: that is
/// how upstream gives out what interrupts a guest, so that the first handlers of yours can be interrupted while
/// they load. Metrics and logs do not show it. Consumes the proto sandbox, also on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_load_runtime(
    proto: *const ProtoSandbox,
    sandbox: *mut *mut Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sandbox = Out::new(sandbox, "sandbox")?;
        let proto = ffi::borrow(proto, "proto")?;
        let contents = proto.shell.take()?;
        hypervisor::check()?;
        room::for_a_snapshot(proto.settings.get().heap)?;
        let shield = signal::Shield::new();
        let result = contents.sandbox.load_runtime();
        drop(shield);
        let loaded = result.map_err(Error::boot_failure)?;
        hypervisor::settled();
        signal::check_handler(proto.settings.get().interrupt_signal_offset)?;
        let (loaded, interrupter) = interruptible(loaded).map_err(Error::boot_failure)?;
        sandbox.give(Sandbox::new(
            loaded,
            Arc::clone(&proto.settings),
            interrupter,
        ));
        Ok(())
    })
}

/// Finds out how to interrupt a guest, before it runs anything that may have to be.
fn interruptible(mut sandbox: JSSandbox) -> hyperlight_js::Result<(JSSandbox, Arc<Interrupter>)> {
    let _hush = Hush::new();
    sandbox.add_handler("-", Script::from_content("function handler() {}"))?;
    let loaded = sandbox.get_loaded_sandbox()?;
    let interrupter = Interrupter::new(loaded.interrupt_handle());
    Ok((loaded.unload()?, interrupter))
}

/// Frees a proto sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_free(proto: *mut ProtoSandbox) {
    ffi::free(proto);
}
