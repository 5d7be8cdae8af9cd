//! The threads that a value names.

use crate::kernel;
use crate::kernel::threads;
use crate::robust::owner;

/// A thread that a value names by its TID, or the process that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thread {
    /// Its TID.
    pub tid: u32,
    /// Whether it lives.
    pub life: Life,
    /// Its name, which it may have given itself. `None`: it is gone, or not to be seen.
    pub name: Option<String>,
    /// The PID of its process.
    pub process: Option<u32>,
    /// The name of the process's first thread, usually that of its program.
    pub process_name: Option<String>,
}

/// Whether a thread lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Life {
    /// There is a thread with this TID.
    Alive,
    /// There is, and a signal or a debugger has stopped it.
    Stopped,
    /// There is none, or it is dead.
    Gone,
    /// The TID is one of another PID namespace.
    Unknown,
}

/// Where the TIDs in a value come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    Here,
    OtherNamespace,
    /// All its threads are gone, and their TIDs are others'.
    EarlierBoot,
}

impl Thread {
    pub(super) fn find(tid: u32, origin: Origin) -> Self {
        match origin {
            Origin::Here if can_be_a_tid(tid) && !kernel::is_gone(tid) => Self::alive(tid),
            Origin::Here | Origin::EarlierBoot => Self::nameless(tid, Life::Gone),
            Origin::OtherNamespace => Self::nameless(tid, Life::Unknown),
        }
    }

    /// Whether it lives the kernel has told; `/proc` may be made to hide it.
    fn alive(tid: u32) -> Self {
        let seen = threads::look_at(tid);
        let stopped = seen.as_ref().is_some_and(|seen| seen.stopped);
        let process = seen.map(|seen| seen.process);
        Self {
            tid,
            life: if stopped { Life::Stopped } else { Life::Alive },
            name: threads::name_of(tid),
            process,
            process_name: process.and_then(threads::name_of),
        }
    }

    fn nameless(tid: u32, life: Life) -> Self {
        Self {
            tid,
            life,
            name: None,
            process: None,
            process_name: None,
        }
    }
}

/// Scribbled memory may name nobody.
fn can_be_a_tid(tid: u32) -> bool {
    tid != 0 && owner(tid) == tid
}
