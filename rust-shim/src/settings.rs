//! What a sandbox is made with. Upstream ignores or raises values that are too small; here they
//! are refused, so that what was set is what is in effect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyperlight_host::sandbox::SandboxConfiguration;
use hyperlight_js::SandboxBuilder;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ffi;

/// Upstream keeps its own minimums private; its default builder has exactly these.
const MIN_HEAP: u64 = 4 << 20;
const MIN_SCRATCH: u64 = 1 << 20;

const PAGE: u64 = 4096;

const BUFFER_OVERHEAD: usize = 16;

/// What is around a name in the guest's errors, in upstream's messages; some 120 bytes are.
const NAME_OVERHEAD: u64 = 256;

/// How much text there can be in one of upstream's messages, whose encoder panics at 2 GiB.
pub(crate) const LONGEST_TEXT: usize = (1 << 31) - 4096;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub heap: u64,
    pub scratch: u64,
    pub input_buffer: u64,
    pub output_buffer: u64,
    pub interrupt_retry_delay: Duration,
    pub interrupt_signal_offset: u8,
    pub crashdump: bool,
}

impl Default for Settings {
    /// Upstream's defaults.
    fn default() -> Self {
        Self {
            heap: MIN_HEAP,
            scratch: MIN_SCRATCH,
            input_buffer: SandboxConfiguration::DEFAULT_INPUT_SIZE as u64,
            output_buffer: SandboxConfiguration::DEFAULT_OUTPUT_SIZE as u64,
            interrupt_retry_delay: SandboxConfiguration::DEFAULT_INTERRUPT_RETRY_DELAY,
            interrupt_signal_offset: SandboxConfiguration::INTERRUPT_VCPU_SIGRTMIN_OFFSET,
            crashdump: true,
        }
    }
}

impl Settings {
    pub(crate) fn set_heap(&mut self, bytes: u64) -> Result<()> {
        self.heap = at_least("heap size", bytes, MIN_HEAP)?;
        Ok(())
    }

    pub(crate) fn set_scratch(&mut self, bytes: u64) -> Result<()> {
        let bytes = at_least("scratch size", bytes, MIN_SCRATCH)?;
        // Upstream maps it as it is, and finds out in the middle of a build.
        if !bytes.is_multiple_of(PAGE) {
            return Err(Error::invalid_argument(format!(
                "scratch size is {bytes} bytes, not a multiple of the page size of {PAGE}"
            )));
        }
        self.scratch = bytes;
        Ok(())
    }

    pub(crate) fn set_input_buffer(&mut self, bytes: u64) -> Result<()> {
        let minimum = SandboxConfiguration::MIN_INPUT_SIZE as u64;
        self.input_buffer = at_least("input buffer size", bytes, minimum)?;
        Ok(())
    }

    pub(crate) fn set_output_buffer(&mut self, bytes: u64) -> Result<()> {
        let minimum = SandboxConfiguration::MIN_OUTPUT_SIZE as u64;
        self.output_buffer = at_least("output buffer size", bytes, minimum)?;
        Ok(())
    }

    /// Writes the sizes to the outputs of a `_get_config` function. Each may be NULL.
    pub(crate) fn give_sizes(
        &self,
        heap: *mut u64,
        scratch: *mut u64,
        input_buffer: *mut u64,
        output_buffer: *mut u64,
    ) {
        ffi::set_if_wanted(heap, self.heap);
        ffi::set_if_wanted(scratch, self.scratch);
        ffi::set_if_wanted(input_buffer, self.input_buffer);
        ffi::set_if_wanted(output_buffer, self.output_buffer);
    }

    pub(crate) fn retry_delay_nanoseconds(&self) -> u64 {
        u64::try_from(self.interrupt_retry_delay.as_nanos()).unwrap_or(u64::MAX)
    }

    /// These settings once a snapshot with `other` is restored: its sizes come along, all else is the
    /// micro-VM's own.
    fn with_sizes_of(&self, other: &Self) -> Self {
        Self {
            heap: other.heap,
            scratch: other.scratch,
            input_buffer: other.input_buffer,
            output_buffer: other.output_buffer,
            ..*self
        }
    }

    /// An upstream builder with these settings.
    pub(crate) fn builder(&self) -> Result<SandboxBuilder> {
        let mut builder = SandboxBuilder::new()
            .with_guest_heap_size(usize_of("heap size", self.heap)? as u64)
            .with_guest_scratch_size(usize_of("scratch size", self.scratch)?)
            .with_guest_input_buffer_size(usize_of("input buffer size", self.input_buffer)?)
            .with_guest_output_buffer_size(usize_of("output buffer size", self.output_buffer)?)
            .with_interrupt_retry_delay(self.interrupt_retry_delay);
        builder
            .set_interrupt_vcpu_sigrtmin_offset(self.interrupt_signal_offset)
            .map_err(|e| Error::invalid_argument(e.to_string()))?;
        #[cfg(feature = "crashdump")]
        let builder = builder.with_crashdump_enabled(self.crashdump);
        Ok(builder)
    }

    /// Refuses core dumps in a build without them.
    pub(crate) fn need_crashdump_feature() -> Result<()> {
        if cfg!(feature = "crashdump") {
            return Ok(());
        }
        Err(Error::unsupported("core dumps of guests", "crashdump"))
    }

    /// Refuses a core dump that upstream would not write, though it would say that it did.
    pub(crate) fn check_crashdump(&self) -> Result<()> {
        Self::need_crashdump_feature()?;
        if self.crashdump {
            return Ok(());
        }
        Err(Error::new(
            Code::Unsupported,
            "core dumps are turned off for this sandbox",
        ))
    }

    /// Refuses a name that the output buffer cannot carry: the guest's errors repeat the names of handlers and
    /// modules, and one that does not fit aborts the guest.
    pub(crate) fn check_name(&self, what: &str, name_len: usize) -> Result<()> {
        let most = self.output_buffer.saturating_sub(NAME_OVERHEAD);
        if name_len as u64 <= most {
            return Ok(());
        }
        Err(Error::invalid_argument(format!(
            "{what} has {name_len} bytes, and may have {most}, since errors bring it back through the output buffer of {}",
            self.output_buffer
        )))
    }

    /// Refuses what the input buffer cannot carry, before upstream consumes the sandbox over it.
    /// `encoded` is the length of the whole encoded call.
    pub(crate) fn check_input(&self, what: &str, encoded: usize) -> Result<()> {
        // The buffer is a stack: a stack pointer below, a back pointer above each item.
        let needed = encoded.saturating_add(BUFFER_OVERHEAD) as u64;
        if needed <= self.input_buffer && encoded < 1 << 31 {
            return Ok(());
        }
        Err(Error::new(
            Code::BufferTooSmall,
            format!(
                "{what} needs {needed} bytes of the input buffer, which has {}",
                self.input_buffer
            ),
        ))
    }
}

/// The settings of one micro-VM as they are in effect, for all who need to know while it lives: a snapshot
/// that is restored brings its sizes along, and unloading brings the builder's back.
pub(crate) struct Effective {
    built: Settings,
    current: Mutex<Settings>,
}

impl Effective {
    pub(crate) fn new(built: Settings) -> Arc<Self> {
        Arc::new(Self {
            built,
            current: Mutex::new(built),
        })
    }

    pub(crate) fn get(&self) -> Settings {
        *self.lock()
    }

    pub(crate) fn adopt_sizes(&self, snapshot: &Settings) {
        let mut current = self.lock();
        *current = current.with_sizes_of(snapshot);
    }

    pub(crate) fn reset(&self) {
        *self.lock() = self.built;
    }

    /// The settings are whole at every moment, whoever panicked.
    fn lock(&self) -> MutexGuard<'_, Settings> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at_least(what: &str, bytes: u64, minimum: u64) -> Result<u64> {
    if bytes < minimum {
        return Err(Error::new(
            Code::MemoryTooSmall,
            format!("{what} is {bytes} bytes, below the minimum of {minimum}"),
        ));
    }
    Ok(bytes)
}

fn usize_of(what: &str, bytes: u64) -> Result<usize> {
    usize::try_from(bytes)
        .ok()
        // Upstream adds sizes up without checking for overflow.
        .filter(|bytes| *bytes <= isize::MAX as usize / 4)
        .ok_or_else(|| {
            Error::new(
                Code::MemoryTooBig,
                format!("{what} is {bytes} bytes, more than any sandbox can have"),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_the_output_buffer() {
        let settings = Settings::default();
        settings.check_name("the name", 16 * 1024 - 256).unwrap();
        let error = settings
            .check_name("the name", 16 * 1024 - 255)
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(
            error.message(),
            "the name has 16129 bytes, and may have 16128, since errors bring it back through the output buffer of 16384"
        );
    }

    #[test]
    fn too_small_names_both_numbers() {
        let error = Settings::default().set_heap(4096).unwrap_err();
        assert_eq!(error.code(), Code::MemoryTooSmall);
        assert_eq!(
            error.message(),
            "heap size is 4096 bytes, below the minimum of 4194304"
        );
    }

    #[test]
    fn scratch_is_made_of_pages() {
        let error = Settings::default().set_scratch((1 << 20) + 1).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(
            error.message(),
            "scratch size is 1048577 bytes, not a multiple of the page size of 4096"
        );
    }

    #[test]
    fn a_restored_snapshot_brings_its_sizes_only() {
        let own = Settings {
            interrupt_signal_offset: 3,
            interrupt_retry_delay: Duration::from_nanos(7),
            crashdump: false,
            ..Settings::default()
        };
        let snapshot = Settings {
            heap: 1,
            scratch: 2,
            input_buffer: 3,
            output_buffer: 4,
            ..Settings::default()
        };
        let both = own.with_sizes_of(&snapshot);
        assert_eq!(
            (
                both.heap,
                both.scratch,
                both.input_buffer,
                both.output_buffer
            ),
            (1, 2, 3, 4)
        );
        assert_eq!(both.interrupt_signal_offset, 3);
        assert_eq!(both.retry_delay_nanoseconds(), 7);
        assert!(!both.crashdump);
    }

    #[test]
    fn minimums_are_accepted() {
        let mut settings = Settings::default();
        settings.set_heap(4 << 20).unwrap();
        settings.set_scratch(1 << 20).unwrap();
        settings.set_input_buffer(8 << 10).unwrap();
        settings.set_output_buffer(8 << 10).unwrap();
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        type Set = fn(&mut Settings, u64) -> Result<()>;
        let setters: [Set; 4] = [
            Settings::set_heap,
            Settings::set_scratch,
            Settings::set_input_buffer,
            Settings::set_output_buffer,
        ];
        for set in setters {
            let mut settings = Settings::default();
            set(&mut settings, u64::MAX - 4095).unwrap();
            let error = settings.builder().err().unwrap();
            assert_eq!(error.code(), Code::MemoryTooBig);
        }
    }
}
