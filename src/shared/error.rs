//! The error of everything that has to do with files and mappings.

use core::fmt;
use std::io;

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
