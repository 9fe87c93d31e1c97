//! The workloads of bench/ on upstream's Rust API: the baseline of the bindings. See ../README.md.
//!
//! The C, cgo and Go programs beside this one run the same workloads under the same names. Whoever changes one,
//! changes all.

mod events;
mod harness;
mod host;
mod lifecycle;
mod sandboxes;
mod snapshots;

use harness::Harness;
use hyperlight_js::Result;

fn main() -> Result<()> {
    let harness = Harness::new();
    lifecycle::measure(&harness)?; // first: the cold start wants a process that has not done anything
    events::measure(&harness)?;
    host::measure(&harness)?;
    snapshots::measure(&harness)
}
