//! What there is to be told of a value.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::file::File;
use super::threads::{Origin, Thread};
use super::types::Type;
use super::walk::walk;
use super::{
    BarrierSnapshot, ConditionSnapshot, EventSnapshot, LockSnapshot, Number, SemaphoreSnapshot,
    TimerSnapshot,
};
use crate::ShareError;
use crate::shared::header::{Header, VERSION};

/// What is in a file that a value is shared by, and around it.
///
/// `{}` shows it in lines and columns.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The name that was asked for.
    pub name: String,
    /// The version of the representation.
    pub version: u32,
    /// The PID of the process that made it; more in [`thread`](Self::thread).
    pub creator: u32,
    /// When it was made.
    pub created: SystemTime,
    /// The number of the PID namespace it was made in.
    pub pid_namespace: u64,
    /// Whether that is the one of this process. If not, TIDs are shown, but not looked up.
    pub is_of_this_pid_namespace: bool,
    /// Whether it was made since the system was last restarted. If not, nobody uses it.
    pub is_of_this_boot: bool,
    /// The size of the value, in bytes.
    pub size: u64,
    /// The layout of its type: `Shareable::LAYOUT`.
    pub layout: u64,
    /// Whether the type is known.
    pub structure: Structure,
    /// What is in it, in order.
    pub parts: Vec<Part>,
    pub(super) threads: BTreeMap<u32, Thread>,
}

/// What is known of the type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Structure {
    /// The file describes it, in agreement with its layout.
    Described,
    /// What the file says of it is not there, or not true. The value is shown as bytes.
    Damaged,
}

/// A number, a primitive, or several of them: what has no parts of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// Where it is in the value, as Rust would write it: `till.takings`, `seats[3]`, `*total` for what a
    /// lock protects. `seats[3..7]`: these are all alike. `value`, if the value itself has no name.
    pub path: String,
    /// Its type.
    pub kind: String,
    /// What is in it.
    pub value: Value,
}

/// What is in a part.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A number.
    Number(Number),
    /// An array of numbers, from its beginning: how many equal ones follow each other.
    Numbers {
        /// Numbers, and how often.
        runs: Vec<(Number, u64)>,
        /// So many more numbers follow that were not looked at.
        more: u64,
    },
    /// A primitive.
    Primitive {
        /// What its words say.
        state: State,
        /// How many threads sleep on it, as the kernel counts them.
        asleep: usize,
    },
    /// Bytes of a type that nobody has described, from their beginning.
    Bytes {
        /// The first of them.
        first: Vec<u8>,
        /// So many bytes there are.
        len: u64,
    },
    /// So many more elements of an array that are not shown: they hold no lock that is held or poisoned,
    /// and nobody sleeps on any; or there was no end to them.
    More(u64),
}

/// What the words of a primitive say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Of a [`Lock`](crate::Lock).
    Lock(LockSnapshot),
    /// Of an [`RLock`](crate::RLock).
    RLock(LockSnapshot),
    /// Of a [`Semaphore`](crate::Semaphore) or [`BoundedSemaphore`](crate::BoundedSemaphore).
    Semaphore(SemaphoreSnapshot),
    /// Of an [`Event`](crate::Event).
    Event(EventSnapshot),
    /// Of a [`Condition`](crate::Condition).
    Condition(ConditionSnapshot),
    /// Of a [`Barrier`](crate::Barrier).
    Barrier(BarrierSnapshot),
    /// Of a [`Timer`](crate::Timer).
    Timer(TimerSnapshot),
    /// The number in a [`FutexWord`](crate::FutexWord).
    FutexWord(u32),
}

impl State {
    /// The TIDs in it.
    fn tids(&self) -> Vec<u32> {
        match self {
            Self::Lock(lock) | Self::RLock(lock) => lock.holder.into_iter().collect(),
            Self::Semaphore(_) | Self::Event(_) | Self::FutexWord(_) => Vec::new(),
            Self::Condition(condition) => condition.returning.clone(),
            Self::Barrier(barrier) => barrier.leader.into_iter().collect(),
            Self::Timer(timer) => timer.runner.into_iter().collect(),
        }
    }
}

impl Report {
    /// More of a thread whose TID is in the report, as of when it was made.
    pub fn thread(&self, tid: u32) -> Option<&Thread> {
        self.threads.get(&tid)
    }
}

/// Looks at the value under `name`, as [`Shared::open`](crate::Shared::open) would find it; symbolic
/// links in place of the file are followed, as those in `/proc/PID/fd` have to be.
///
/// # Errors
///
/// [`NotFound`](ShareError::NotFound), [`PermissionDenied`](ShareError::PermissionDenied) where the file
/// cannot be read, [`InvalidName`](ShareError::InvalidName), [`Os`](ShareError::Os);
/// [`NotRegular`](ShareError::NotRegular), [`BadMagic`](ShareError::BadMagic),
/// [`VersionMismatch`](ShareError::VersionMismatch), [`TooSmall`](ShareError::TooSmall). A value of
/// another PID namespace or boot is no error.
pub fn open(name: &str) -> Result<Report, ShareError> {
    let (file, header) = File::open(name)?;
    let is_of_this_boot = header.is_of_this_boot()?;
    let is_of_this_pid_namespace = header.is_of_this_pid_namespace()?;
    let origin = match (is_of_this_boot, is_of_this_pid_namespace) {
        (false, _) => Origin::EarlierBoot,
        (true, false) => Origin::OtherNamespace,
        (true, true) => Origin::Here,
    };
    let (structure, described) = structure(&file, &header);
    let mut parts = walk(&file, &described)?;
    if !is_of_this_boot {
        parts.iter_mut().for_each(forget_the_clock);
    }
    let tids = parts.iter().flat_map(tids).chain([header.creator]);
    Ok(Report {
        name: name.to_owned(),
        version: VERSION,
        creator: header.creator,
        created: at(header.created),
        pid_namespace: header.pid_namespace,
        is_of_this_pid_namespace,
        is_of_this_boot,
        size: header.size,
        layout: header.layout,
        structure,
        threads: tids.map(|tid| (tid, Thread::find(tid, origin))).collect(),
        parts,
    })
}

fn structure(file: &File, header: &Header) -> (Structure, Type) {
    let description = file.description(header);
    match description.and_then(|bytes| Type::decode(&bytes, header)) {
        Some(described) => (Structure::Described, described),
        None => (
            Structure::Damaged,
            Type::Opaque {
                size: header.size,
                layout: header.layout,
            },
        ),
    }
}

fn tids(part: &Part) -> Vec<u32> {
    match &part.value {
        Value::Primitive { state, .. } => state.tids(),
        _ => Vec::new(),
    }
}

/// The monotonic clock has begun anew.
fn forget_the_clock(part: &mut Part) {
    if let Value::Primitive {
        state: State::Timer(timer),
        ..
    } = &mut part.value
    {
        timer.remaining = None;
    }
}

/// Damaged headers hold times beyond all calendars.
fn at(unix_seconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(unix_seconds))
        .unwrap_or(UNIX_EPOCH)
}
