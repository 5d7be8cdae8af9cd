//! The system calls, and nothing else knows one. `model` is the kernel as loom explores it, deaths
//! included; what is called of `futex`, `memory`, `process` and `robust_list` it has by the same names.

#[cfg(not(loom))]
pub(crate) mod files;
#[cfg(not(loom))]
mod futex;
#[cfg(not(loom))]
mod memory;
#[cfg(loom)]
pub(crate) mod model;
#[cfg(not(loom))]
mod process;
#[cfg(not(loom))]
mod robust_list;
#[cfg(not(loom))]
pub(crate) mod threads;

#[cfg(loom)]
pub(crate) use model::*;
#[cfg(not(loom))]
pub(crate) use {futex::*, memory::is_shared, process::*, robust_list::*};

/// A futex word, and what it is expected to hold.
pub(crate) type Expected<'word> = (Futex<'word>, u32);

/// How a wait on a futex word ended. `Woken` may also mean nothing at all: a caller reads the word
/// again, whatever the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// A wake-up, or a return for no reason of ours.
    Woken,
    /// The word did not hold the expected value: nobody slept.
    Changed,
    /// The deadline passed.
    TimedOut,
    /// Time to look at the words that were not slept on.
    #[cfg_attr(loom, allow(dead_code, reason = "the modelled kernel has futex_waitv"))]
    Recheck,
}

/// Where the kernel and libc keep this thread's robust list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RobustHead {
    /// Address of the head, whose first field points to the first entry, or to itself.
    pub(crate) list: usize,
    /// Address of the field that names the entry being linked or unlinked (`list_op_pending`).
    pub(crate) pending: usize,
    /// Distance from a futex word to its entry: what the kernel calls `-futex_offset`.
    pub(crate) distance: usize,
}

impl RobustHead {
    /// From `list` to `pending`, in bytes.
    pub(crate) const SLOT_AT: usize = 2 * size_of::<usize>();
}
