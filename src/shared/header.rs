//! What stands before the value, and tells whether it is the value that is looked for.
//!
//! | bytes | what | native-endian |
//! |---|---|---|
//! | 0..8 | the magic, `procsync` | |
//! | 8..12 | version of the representation | `u32` |
//! | 12..16 | process that made it, for diagnosis | `u32` |
//! | 16..24 | layout of the value's type | `u64` |
//! | 24..32 | size of the value | `u64` |
//! | 32..40 | PID namespace of its creator | `u64` |
//! | 40..56 | boot it was made under | `u128` |
//! | 56..64 | when it was made, in Unix seconds, for diagnosis | `u64` |
//! | 64..72 | where the value starts, for diagnosis | `u64` |
//! | 72..80 | where the [description](super::description) of its type starts, for diagnosis | `u64` |
//! | 80..88 | the length of that | `u64` |
//! | 88..128 | zeros | |
//!
//! The value follows at [`value_offset`], and then the description.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use super::description::MAX_LEN;
use super::shareable::Shareable;
use super::{difference, share_error};
use crate::ShareError;
use crate::kernel::files;

/// The length of the header.
pub(crate) const LEN: usize = 128;

/// The version of the representation: of this header, and of every primitive that may follow it.
pub(crate) const VERSION: u32 = 2;

// A mapping starts at a page, and pages are at least this big.
const MAX_ALIGN: usize = 4096;

const MAGIC: [u8; 8] = *b"procsync";
const MAGIC_AT: usize = 0;
const VERSION_AT: usize = 8;
const CREATOR_AT: usize = 12;
const LAYOUT_AT: usize = 16;
const SIZE_AT: usize = 24;
const PID_NAMESPACE_AT: usize = 32;
const BOOT_AT: usize = 40;
const CREATED_AT: usize = 56;
const VALUE_AT: usize = 64;
const DESCRIPTION_AT: usize = 72;
const DESCRIPTION_LEN_AT: usize = 80;

type Bytes = [u8; LEN];

/// Where the value starts: behind the header, at its type's alignment.
pub(super) const fn value_offset<T>() -> usize {
    const {
        assert!(
            align_of::<T>() <= MAX_ALIGN,
            "a shared value may be aligned to 4096 at most: a mapping starts at a page, wherever it may"
        );
    }
    if align_of::<T>() > LEN {
        align_of::<T>()
    } else {
        LEN
    }
}

/// The length that a file must have to be used: header and value.
pub(super) const fn value_end<T>() -> usize {
    value_offset::<T>() + size_of::<T>()
}

/// Where the description of the value's type starts.
pub(super) const fn description_offset<T>() -> usize {
    value_end::<T>().next_multiple_of(8)
}

/// What a header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) creator: u32,
    pub(crate) layout: u64,
    pub(crate) size: u64,
    pub(crate) pid_namespace: u64,
    pub(crate) boot: u128,
    pub(crate) created: u64,
    pub(crate) value_at: u64,
    pub(crate) description_at: u64,
    pub(crate) description_len: u64,
}

/// Writes what stands around a value of type `T` made here and now.
pub(super) fn write<T: Shareable>(file: impl AsFd, description: &[u8]) -> io::Result<()> {
    let header = Header {
        creator: std::process::id(),
        layout: T::LAYOUT,
        size: size_of::<T>() as u64,
        pid_namespace: files::pid_namespace()?,
        boot: files::boot_id()?,
        created: unix_seconds(),
        value_at: value_offset::<T>() as u64,
        description_at: description_offset::<T>() as u64,
        description_len: description.len() as u64,
    };
    files::write_at(file.as_fd(), description, header.description_at)?;
    files::write_at(file.as_fd(), &header.encode(), 0)
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Whether `file` holds a whole value of type `T` that this process can share.
///
/// The header is read, never mapped: a file that is too short must give an error, not a SIGBUS.
pub(super) fn check<T: Shareable>(file: &OwnedFd) -> Result<(), ShareError> {
    let len = files::regular_len(file)
        .map_err(share_error)?
        .ok_or(ShareError::NotRegular)?;
    let header = Header::read(file.as_fd())?;
    header.check_type::<T>(file.as_fd())?;
    at_least(len, value_end::<T>())?;
    header.check_origin()
}

fn at_least(found: u64, expected: usize) -> Result<(), ShareError> {
    let expected = expected as u64;
    if found < expected {
        Err(ShareError::TooSmall { found, expected })
    } else {
        Ok(())
    }
}

impl Header {
    /// Reads what this version of the crate has written.
    pub(crate) fn read(file: BorrowedFd<'_>) -> Result<Self, ShareError> {
        let mut bytes = [0; LEN];
        let found = files::read_at(file, &mut bytes, 0).map_err(share_error)?;
        Self::decode(&bytes, found)
    }

    /// What the file says of the value's type. One that is too long is read as far as to be refused.
    pub(crate) fn read_description(&self, file: BorrowedFd<'_>) -> Option<Vec<u8>> {
        let len = usize::try_from(self.description_len.min(MAX_LEN as u64 + 1)).ok()?;
        let mut bytes = vec![0; len];
        let read = files::read_at(file, &mut bytes, self.description_at).ok()?;
        (read == len).then_some(bytes)
    }

    /// `found`: how many of the bytes there are. The beginning is the same in all versions, and their
    /// headers may be shorter than this one's.
    fn decode(bytes: &Bytes, found: usize) -> Result<Self, ShareError> {
        if found >= CREATOR_AT {
            check_maker(bytes)?;
        }
        at_least(found as u64, LEN)?;
        let number = |at| u64::from_ne_bytes(get(bytes, at));
        Ok(Self {
            creator: u32::from_ne_bytes(get(bytes, CREATOR_AT)),
            layout: number(LAYOUT_AT),
            size: number(SIZE_AT),
            pid_namespace: number(PID_NAMESPACE_AT),
            boot: u128::from_ne_bytes(get(bytes, BOOT_AT)),
            created: number(CREATED_AT),
            value_at: number(VALUE_AT),
            description_at: number(DESCRIPTION_AT),
            description_len: number(DESCRIPTION_LEN_AT),
        })
    }

    fn encode(&self) -> Bytes {
        let mut bytes = [0; LEN];
        put(&mut bytes, MAGIC_AT, MAGIC);
        put(&mut bytes, VERSION_AT, VERSION.to_ne_bytes());
        put(&mut bytes, CREATOR_AT, self.creator.to_ne_bytes());
        put(&mut bytes, BOOT_AT, self.boot.to_ne_bytes());
        let numbers = [
            (LAYOUT_AT, self.layout),
            (SIZE_AT, self.size),
            (PID_NAMESPACE_AT, self.pid_namespace),
            (CREATED_AT, self.created),
            (VALUE_AT, self.value_at),
            (DESCRIPTION_AT, self.description_at),
            (DESCRIPTION_LEN_AT, self.description_len),
        ];
        for (at, number) in numbers {
            put(&mut bytes, at, number.to_ne_bytes());
        }
        bytes
    }

    fn check_type<T: Shareable>(&self, file: BorrowedFd<'_>) -> Result<(), ShareError> {
        let (found, expected) = (self.layout, T::LAYOUT);
        if found != expected {
            return Err(ShareError::LayoutMismatch {
                found,
                expected,
                difference: difference::first::<T>(file, self).map(String::into_boxed_str),
            });
        }
        let (found, expected) = (self.size, size_of::<T>() as u64);
        if found != expected {
            return Err(ShareError::SizeMismatch { found, expected });
        }
        Ok(())
    }

    fn check_origin(&self) -> Result<(), ShareError> {
        // The boot first: PID namespaces are told apart within one boot only, and there only while one of them
        // lasts, since their numbers are given again. Who used the value of one that has ended is dead.
        if !self.is_of_this_boot()? {
            return Err(ShareError::StaleBoot);
        }
        if !self.is_of_this_pid_namespace()? {
            return Err(ShareError::ForeignPidNamespace);
        }
        Ok(())
    }

    pub(crate) fn is_of_this_boot(&self) -> Result<bool, ShareError> {
        Ok(self.boot == files::boot_id().map_err(share_error)?)
    }

    pub(crate) fn is_of_this_pid_namespace(&self) -> Result<bool, ShareError> {
        Ok(self.pid_namespace == files::pid_namespace().map_err(share_error)?)
    }
}

/// The version says what the rest of the header means.
fn check_maker(bytes: &Bytes) -> Result<(), ShareError> {
    if get(bytes, MAGIC_AT) != MAGIC {
        return Err(ShareError::BadMagic);
    }
    let (found, expected) = (u32::from_ne_bytes(get(bytes, VERSION_AT)), VERSION);
    if found != expected {
        return Err(ShareError::VersionMismatch { found, expected });
    }
    Ok(())
}

fn put<const N: usize>(bytes: &mut Bytes, at: usize, field: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&field);
}

fn get<const N: usize>(bytes: &Bytes, at: usize) -> [u8; N] {
    core::array::from_fn(|i| bytes[at + i])
}
