//! The error types, one for each family of operations.

use core::fmt;
use std::io;

/// Why an acquisition of a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock) did not simply
/// succeed.
///
/// `G` is the guard type. Where the lock was acquired all the same ([`Poisoned`](Self::Poisoned)),
/// the guard travels in the error: dropping the error releases the lock,
/// [`into_guard`](Self::into_guard) takes the guard out.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum AcquireError<G> {
    /// You hold the lock, but a previous holder died or panicked while it held it, so the data may
    /// be half-changed. Inspect or rebuild it, then call `clear_poison`; until then every
    /// acquisition answers this. `acquire_or_repair` does the three steps in one.
    Poisoned(G),
    /// `try_acquire` found the lock held by somebody else. Nothing was changed.
    WouldBlock,
    /// The timeout or deadline passed before the lock could be had. Nothing was changed.
    TimedOut,
    /// The calling thread already holds this lock (never for [`RLock`](crate::RLock)). Waiting
    /// would have lasted for ever. Use the guard you have, or an `RLock`.
    Deadlock,
    /// The [`RLock`](crate::RLock) is held as many times as it can count. Drop some guards.
    RecursionLimit,
    /// The calling thread holds 2047 locks in shared memory. The kernel looks at 2048 entries of a
    /// thread's robust list, one of which is the crate's own; one more lock would not be recovered
    /// if the thread died, so it is refused. Release some, or spread them over threads. (Also where
    /// the system has no memory for the thread's first lock.)
    TooManyHeld,
}

impl<G> AcquireError<G> {
    /// The guard, where the lock is held all the same: `Some` for [`Poisoned`](Self::Poisoned) only.
    pub fn into_guard(self) -> Option<G> {
        match self {
            Self::Poisoned(guard) => Some(guard),
            _ => None,
        }
    }

    /// The same error without the guard (which is dropped, and the lock released), for `?` where the
    /// error must outlive the lock.
    pub fn without_guard(self) -> AcquireError<()> {
        match self {
            Self::Poisoned(_) => AcquireError::Poisoned(()),
            Self::WouldBlock => AcquireError::WouldBlock,
            Self::TimedOut => AcquireError::TimedOut,
            Self::Deadlock => AcquireError::Deadlock,
            Self::RecursionLimit => AcquireError::RecursionLimit,
            Self::TooManyHeld => AcquireError::TooManyHeld,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Poisoned(_) => "Poisoned",
            Self::WouldBlock => "WouldBlock",
            Self::TimedOut => "TimedOut",
            Self::Deadlock => "Deadlock",
            Self::RecursionLimit => "RecursionLimit",
            Self::TooManyHeld => "TooManyHeld",
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Poisoned(_) => {
                "the lock is poisoned: a previous holder died or panicked while holding it; \
                 repair the data and call clear_poison"
            }
            Self::WouldBlock => "the lock is held by another thread",
            Self::TimedOut => "the lock stayed held by another thread until the deadline",
            Self::Deadlock => {
                "the calling thread already holds this lock; use its guard, or an RLock"
            }
            Self::RecursionLimit => "the RLock is held as many times as it can count",
            Self::TooManyHeld => {
                "the calling thread holds as many locks as the kernel tracks for one thread; \
                 release some first"
            }
        }
    }
}

impl<G> fmt::Debug for AcquireError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<G> fmt::Display for AcquireError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl<G> core::error::Error for AcquireError<G> {}

/// Why a value could not be shared, or a shared value not be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum ShareError {
    /// Nothing has that name, or the directory in it does not exist. Create it first, or use
    /// `open_or_create`.
    NotFound,
    /// Something has that name already. Open it, [`unlink`](crate::unlink) it, or use
    /// `open_or_create`.
    AlreadyExists,
    /// This user may not do that: to open a value, its file must be readable *and* writable; to
    /// create or unlink one, the directory must be writable. See `SharedOptions::mode`.
    PermissionDenied,
    /// No file can have that name. A POSIX shared-memory name is `"/x"`; the path of a file has
    /// another slash in it, `"./x"` for instance. The last part may not be empty, `.` or `..`, no
    /// part may be longer than 255 bytes, and there may be no NUL.
    InvalidName,
    /// What has that name is not a regular file: a directory, symbolic link, FIFO, socket or device.
    NotRegular,
    /// The file is shorter than its header, or than header and value together. It was truncated, or
    /// something else made it.
    TooSmall {
        /// The length of the file, or as much of a header as it has, in bytes.
        found: u64,
        /// The length it must have at least.
        expected: u64,
    },
    /// The file does not begin with `procsync`: something else made it.
    BadMagic,
    /// The file was made by a version of this crate that represents things differently. All who
    /// share a value must use the same; unlink it when the last of the others is gone.
    VersionMismatch {
        /// The version of the representation in the file.
        found: u32,
        /// The version that this crate reads and writes.
        expected: u32,
    },
    /// The value was made as a type of another structure.
    LayoutMismatch {
        /// The layout in the file (see `Shareable::LAYOUT`).
        found: u64,
        /// The layout of the type that was asked for.
        expected: u64,
    },
    /// The value's layout is as it should be, but not its size: the header is damaged.
    SizeMismatch {
        /// The size of the value according to the file, in bytes.
        found: u64,
        /// The size of the type that was asked for.
        expected: u64,
    },
    /// The value was made in another PID namespace (another container, say). There the numbers that
    /// locks know their holders by mean other threads, so a death would go unseen. Run all who share
    /// a value in one PID namespace.
    ForeignPidNamespace,
    /// The value was made before the system was last restarted. None of those who used it are left
    /// and its locks may be held by threads that are no more. Unlink it and create it anew.
    StaleBoot,
    /// Another error of the system: no memory, no space, too many open files, and the like.
    Os(io::Error),
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { found, expected } => {
                write!(
                    f,
                    "the file has {found} bytes where at least {expected} were expected"
                )
            }
            Self::VersionMismatch { found, expected } => write!(
                f,
                "the file has version {found} of the representation, expected was {expected}"
            ),
            Self::LayoutMismatch { found, expected } => write!(
                f,
                "the file holds a value of another type: its layout is {found:#018x}, expected \
                 was {expected:#018x}"
            ),
            Self::SizeMismatch { found, expected } => write!(
                f,
                "the file's header is damaged: it tells of a value of {found} bytes, expected \
                 were {expected}"
            ),
            Self::Os(error) => error.fmt(f),
            other => f.write_str(other.message()),
        }
    }
}

impl ShareError {
    // For those that carry nothing.
    fn message(&self) -> &'static str {
        match self {
            Self::NotFound => "nothing has that name, or its directory does not exist",
            Self::AlreadyExists => "something has that name already",
            Self::PermissionDenied => {
                "permission denied: a value's file must be readable and writable, and its \
                 directory writable to create or unlink it"
            }
            Self::InvalidName => {
                "no file can have that name: write \"/x\" for a POSIX shared-memory name or \
                 \"./x\" for the path of a file"
            }
            Self::NotRegular => {
                "what has that name is not a regular file, but a directory, symbolic link, FIFO, \
                 socket or device"
            }
            Self::BadMagic => {
                "the file was not made by this crate: other bytes were found where \"procsync\" \
                 was expected"
            }
            Self::ForeignPidNamespace => {
                "the value was made in another PID namespace than this process is in; a death \
                 would go unseen between the two"
            }
            Self::StaleBoot => {
                "the value was made before the last restart of the system; unlink it and create it \
                 anew"
            }
            _ => "the value could not be shared",
        }
    }
}

impl core::error::Error for ShareError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}
