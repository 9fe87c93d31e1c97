//! Whether there is a hypervisor. Upstream asks twice, for any sandbox and for the first micro-VM, and remembers each
//! answer for the life of the process: a device that is missing for a moment, or a process that has no file descriptor
//! left just then, would stay without a hypervisor for ever. So until a guest has booted, upstream is only asked when
//! the answer is yes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use hyperlight_js::HyperlightError;

use crate::code::Code;
use crate::error::{Error, Result};

/// Upstream has asked twice and heard yes.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Ioctls and constants of linux/kvm.h.
const KVM_GET_API_VERSION: libc::c_ulong = 0xAE00;
const KVM_CHECK_EXTENSION: libc::c_ulong = 0xAE03;
const KVM_API_VERSION: libc::c_int = 12;
const KVM_CAP_USER_MEMORY: libc::c_ulong = 3;

/// A guest has booted.
pub(crate) fn settled() {
    SETTLED.store(true, Ordering::Relaxed);
}

pub(crate) fn is_present() -> bool {
    check().is_ok() && hyperlight_js::is_hypervisor_present()
}

/// Fails if upstream would not find a hypervisor now.
pub(crate) fn check() -> Result<()> {
    if SETTLED.load(Ordering::Relaxed) {
        return Ok(());
    }
    // Upstream's order.
    let found = File::open("/dev/mshv").map(|_| true).or_else(|_| is_kvm());
    match found {
        Ok(true) => Ok(()),
        Err(e) if ran_out(&e) => Err(Error::new(
            Code::HostResources,
            format!("the hypervisor cannot be opened: {e}"),
        )),
        _ => Err(HyperlightError::NoHypervisorFound().into()),
    }
}

/// Whether /dev/kvm answers as upstream wants it.
fn is_kvm() -> io::Result<bool> {
    let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm")?;
    // SAFETY: the descriptor is open, and these two take a number and give a number.
    let (version, user_memory) = unsafe {
        (
            libc::ioctl(kvm.as_raw_fd(), KVM_GET_API_VERSION, 0),
            libc::ioctl(kvm.as_raw_fd(), KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY),
        )
    };
    Ok(version == KVM_API_VERSION && user_memory > 0)
}

fn ran_out(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOMEM | libc::ENFILE | libc::EMFILE)
    )
}
