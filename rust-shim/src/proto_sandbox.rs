//! `hljs_proto_sandbox`: upstream's `ProtoJSSandbox`, a sandbox without a JavaScript runtime.

use std::ffi::c_void;

use hyperlight_js::ProtoJSSandbox;

use crate::callback::{DropFn, ReadFn, StatFn, Tree};
use crate::code::Code;
use crate::error::Error;
use crate::ffi::{self, Out};
use crate::file_system::FileTree;
use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::shell::Shell;
use crate::signal;

/// A sandbox without a JavaScript runtime.
pub struct ProtoSandbox {
    shell: Shell<ProtoJSSandbox>,
    settings: Settings,
}

impl ProtoSandbox {
    pub(crate) fn new(contents: ProtoJSSandbox, settings: Settings) -> Self {
        Self {
            shell: Shell::new("the proto sandbox", contents),
            settings,
        }
    }
}

/// Gives the guest files to import, in a tree that `stat` and `read` make up; the last call wins. They
/// are called while the guest runs, in `hljs_sandbox_get_loaded_sandbox` and, for `import()`, in
/// `hljs_loaded_sandbox_handle_event`.
///
/// Modules are resolved as Node.js does it: `./x.js`, `../x.js` and `/x.js`, then with `.js` and `.mjs`
/// appended, then a folder's `package.json` ("main") or `index.js`; `pkg` and `pkg/x` in the
/// `node_modules` of the importer's folder and those above it, with the conditions "import" and "module"
/// for "exports" and "imports". No path leads out of the root. What was found, and what was not, is
/// remembered as long as the sandbox lives; a module is read once for each load.
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
        let files = FileTree::of(tree, proto.settings);
        proto
            .shell
            .replace(|contents| Ok(contents.set_module_loader(files)?))
    })
}

/// Boots the micro-VM and the JavaScript runtime in it. Consumes the proto sandbox, also on failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_load_runtime(
    proto: *const ProtoSandbox,
    sandbox: *mut *mut Sandbox,
    error: *mut *mut Error,
) -> Code {
    ffi::guard(error, || {
        let sandbox = Out::new(sandbox, "sandbox")?;
        let proto = ffi::borrow(proto, "proto")?;
        let contents = proto.shell.take(|_| Ok(()))?;
        let shield = signal::Shield::new();
        let result = contents.load_runtime();
        drop(shield);
        let loaded = result.map_err(Error::boot_failure)?;
        signal::check_handler(proto.settings.interrupt_signal_offset)?;
        sandbox.give(Sandbox::new(loaded, proto.settings, None));
        Ok(())
    })
}

/// Frees a proto sandbox. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hljs_proto_sandbox_free(proto: *mut ProtoSandbox) {
    ffi::free(proto);
}
