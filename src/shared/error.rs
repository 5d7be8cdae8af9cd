//! The error of everything that has to do with files and mappings.

use core::fmt;
use std::io;

use rustix::io::Errno;

use crate::error::{NO_ROBUST_LIST, debug};

/// Why a value could not be shared, or a shared value not be had.
///
/// Nothing was made, changed or taken away.
#[non_exhaustive]
pub enum ShareError {
    /// Nothing has that name, or the directory in it does not exist (`/dev/shm`, for a POSIX
    /// shared-memory name). Create it first, or use `open_or_create`.
    NotFound,
    /// Something has that name already: another process made it, or an earlier run of this program has
    /// left it. Open it, use `open_or_create`, or [`unlink`](crate::unlink) it first.
    AlreadyExists,
    /// This user may not do that: to open a value, its file must be readable *and* writable; to
    /// create or unlink one, the directory must be writable. Let the one who creates it say who may, with
    /// [`SharedOptions::mode`](crate::SharedOptions::mode).
    PermissionDenied,
    /// What has that name belongs to another user than
    /// [`SharedOptions::expect_owner`](crate::SharedOptions::expect_owner) says, who may have taken the
    /// name first. Nothing of it was read. Find out who that is, or use a directory in which others
    /// cannot make files.
    WrongOwner {
        /// The user ID of the file's owner.
        found: u32,
        /// The user ID that it should be.
        expected: u32,
    },
    /// No file can have that name. A POSIX shared-memory name is `"/x"`; the path of a file has
    /// another slash in it, `"./x"` for instance. The last part may not be empty, `.` or `..`, no
    /// part may be longer than 255 bytes, and there may be no NUL.
    InvalidName,
    /// What has that name is not a regular file: a directory, symbolic link, FIFO, socket or device. It
    /// was not waited for, followed or changed. Take another name, or take it away.
    NotRegular,
    /// The file is shorter than its header, or than header and value together. It was truncated, or
    /// something else made it. Unlink it if nobody needs it, or take another name.
    TooSmall {
        /// The length of the file, or as much of a header as it has, in bytes.
        found: u64,
        /// The length it must have at least.
        expected: u64,
    },
    /// The file does not begin with `procsync`: something else made it. Take another name.
    BadMagic,
    /// The file was made by a version of this crate that represents things differently. All who
    /// share a value must use the same; unlink it when the last of the others is gone.
    VersionMismatch {
        /// The version of the representation in the file.
        found: u32,
        /// The version that this crate reads and writes.
        expected: u32,
    },
    /// The value was made as a type of another structure: by another program, or by another build of
    /// this one. Unlink it when nobody uses it any more, take another name, or open it as what it is;
    /// [`inspect`](crate::inspect) shows that.
    LayoutMismatch {
        /// The layout in the file (see `Shareable::LAYOUT`).
        found: u64,
        /// The layout of the type that was asked for.
        expected: u64,
        /// Where the two types differ first, in words, if the file describes its own.
        difference: Option<Box<str>>,
    },
    /// The value's layout is as it should be, but not its size: the header is damaged. Unlink the file.
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
    /// The system refuses to keep a robust list for the calling thread, so that nobody would hear of its
    /// death: see [`AcquireError::NoRobustList`](crate::AcquireError::NoRobustList).
    NoRobustList,
    /// Another error of the system: no memory, no space, too many open files, and the like. It is as
    /// the system says, and its text is part of this error's.
    Os(io::Error),
}

impl fmt::Debug for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, self.name(), self)
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongOwner { found, expected } => write!(
                f,
                "the file belongs to user {found}, who may have been first to take the name; expected was \
                 {expected}; use a directory in which others cannot make files"
            ),
            Self::TooSmall { found, expected } => write!(
                f,
                "the file has {found} bytes where at least {expected} were expected: it was cut short, \
                 or something else made it; unlink it if nobody needs it, or take another name"
            ),
            Self::VersionMismatch { found, expected } => write!(
                f,
                "the file has version {found} of the representation, expected was {expected}: build all \
                 who share it with the same procsync, and unlink it when nobody uses it any more"
            ),
            Self::LayoutMismatch {
                found,
                expected,
                difference,
            } => {
                f.write_str("the file holds a value of another type: ")?;
                if let Some(difference) = difference {
                    write!(f, "{difference}; ")?;
                }
                write!(
                    f,
                    "its layout is {found:#018x}, expected was {expected:#018x}; unlink it when nobody \
                     uses it any more, or take another name"
                )
            }
            Self::SizeMismatch { found, expected } => write!(
                f,
                "the file's header is damaged: it tells of a value of {found} bytes, expected \
                 were {expected}; unlink it"
            ),
            Self::Os(error) => write!(f, "{error}{}", advice(error)),
            other => f.write_str(other.message()),
        }
    }
}

/// What to do about an error of the system.
fn advice(error: &io::Error) -> &'static str {
    match Errno::from_io_error(error) {
        Some(Errno::NOSPC | Errno::DQUOT) => {
            "; make room on the file system of the name, or use another one"
        }
        Some(Errno::MFILE | Errno::NFILE) => "; close some files, or raise the limit",
        Some(Errno::NOMEM) => "; the memory, the address space or its limit is used up",
        Some(Errno::NOTDIR) => "; what stands before the last slash must be a directory",
        Some(Errno::ROFS) => "; use a name on another file system",
        _ => "",
    }
}

impl ShareError {
    fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::PermissionDenied => "PermissionDenied",
            Self::WrongOwner { .. } => "WrongOwner",
            Self::InvalidName => "InvalidName",
            Self::NotRegular => "NotRegular",
            Self::TooSmall { .. } => "TooSmall",
            Self::BadMagic => "BadMagic",
            Self::VersionMismatch { .. } => "VersionMismatch",
            Self::LayoutMismatch { .. } => "LayoutMismatch",
            Self::SizeMismatch { .. } => "SizeMismatch",
            Self::ForeignPidNamespace => "ForeignPidNamespace",
            Self::StaleBoot => "StaleBoot",
            Self::NoRobustList => "NoRobustList",
            Self::Os(_) => "Os",
        }
    }

    // For those that carry nothing.
    fn message(&self) -> &'static str {
        match self {
            Self::NotFound => {
                "nothing has that name, or its directory does not exist (/dev/shm for \"/x\"); look at the \
                 name, make the directory, or create the value first, as open_or_create does"
            }
            Self::AlreadyExists => {
                "something has that name already, perhaps left by an earlier run; open it, use \
                 open_or_create, or unlink it first"
            }
            Self::PermissionDenied => {
                "permission denied: a value's file, or a descriptor of it, must be readable and writable, and \
                 its directory writable to create or unlink it; see SharedOptions::mode"
            }
            Self::InvalidName => {
                "no file can have that name: write \"/x\" for a POSIX shared-memory name or \
                 \"./x\" for the path of a file, no part of it longer than 255 bytes, and no NUL"
            }
            Self::NotRegular => {
                "what has that name is not a regular file, but a directory, symbolic link, FIFO, \
                 socket or device; take another name, or take it away"
            }
            Self::BadMagic => {
                "the file was not made by this crate: other bytes were found where \"procsync\" \
                 was expected; take another name"
            }
            Self::ForeignPidNamespace => {
                "the value was made in another PID namespace (container) than this process is in, and a \
                 death would go unseen between the two; run all who share it in one"
            }
            Self::StaleBoot => {
                "the value was made before the last restart of the system, and nobody is left who used \
                 it; unlink it and create it anew"
            }
            Self::NoRobustList => NO_ROBUST_LIST,
            _ => "the value could not be shared",
        }
    }
}

impl core::error::Error for ShareError {
    /// What is behind the error of the system, whose own text is part of this one's.
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Os(error) => error.source(),
            _ => None,
        }
    }
}
