//! Which ranges of this process's addresses are shared memory that the crate mapped.
//!
//! Two questions are answered from here: whether a lock lives in shared memory (without asking the
//! kernel), and whether a mapping may be unmapped.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::record;
use crate::registry::{Registry, Zeroed};
use crate::sync::kernel;

static REGIONS: Registry<Range> = Registry::new();

/// `length` bytes from `start`; `start` is 0 while nobody uses the entry.
#[derive(Debug)]
struct Range {
    start: AtomicUsize,
    length: AtomicUsize,
}

// SAFETY: two atomics, for which zero is a value.
unsafe impl Zeroed for Range {}

impl Range {
    fn contains(&self, address: usize) -> bool {
        let start = self.start.load(Ordering::Acquire);
        // ORDERING: Acquire pairs with the Release in `register`: a length of another range comes with its
        // start, or with a later one.
        let length = self.length.load(Ordering::Acquire);
        let is_inside = address.wrapping_sub(start) < length;
        is_inside && self.start.load(Ordering::Relaxed) == start
    }
}

/// Whether `address` is shared memory: in a mapping of the crate's, or in another's as the kernel
/// tells. Where the kernel does not tell, it counts as private.
pub(crate) fn is_shared(address: usize) -> bool {
    REGIONS.iter().any(|range| range.contains(address)) || kernel::is_shared(address) == Some(true)
}

/// A registered range of shared memory.
#[derive(Debug)]
#[cfg_attr(loom, allow(dead_code, reason = "models have no mappings"))]
pub(crate) struct Region(Option<&'static Range>);

#[cfg_attr(loom, allow(dead_code, reason = "models have no mappings"))]
impl Region {
    /// Makes `length` bytes at `start` known as shared memory.
    pub(crate) fn register(start: usize, length: usize) -> Self {
        let range = REGIONS.claim(|range| {
            let free = range
                .start
                .compare_exchange(0, start, Ordering::AcqRel, Ordering::Relaxed);
            free.is_ok()
        });
        if let Some(range) = range {
            range.length.store(length, Ordering::Release);
        }
        Self(range)
    }

    /// Ends the registration. `true`: the memory may be unmapped. `false`: a thread of this process
    /// still holds a lock in it, through a forgotten guard; the memory must stay mapped, and stays
    /// registered.
    pub(crate) fn retire(self) -> bool {
        let Some(range) = self.0 else { return true };
        let start = range.start.load(Ordering::Relaxed);
        let length = range.length.load(Ordering::Relaxed);
        if record::anyone_holds_within(&(start..start + length)) {
            return false;
        }
        range.length.store(0, Ordering::Relaxed);
        range.start.store(0, Ordering::Release);
        true
    }
}
