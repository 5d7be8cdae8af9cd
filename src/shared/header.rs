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
//!
//! The value follows at [`value_offset`].

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use super::share_error;
use super::shareable::Shareable;
use crate::ShareError;
use crate::kernel::files;

/// The length of the header.
pub(crate) const LEN: usize = 64;

/// The version of the representation: of this header, and of every primitive that may follow it.
pub(crate) const VERSION: u32 = 1;

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

type Bytes = [u8; LEN];

/// Where the value starts: behind the header, at its type's alignment.
pub(super) const fn value_offset<T>() -> usize {
    const { assert!(align_of::<T>() <= MAX_ALIGN, "aligned to more than a page") };
    if align_of::<T>() > LEN {
        align_of::<T>()
    } else {
        LEN
    }
}

/// The length of a file that holds a header and a value.
pub(super) const fn file_len<T>() -> usize {
    value_offset::<T>() + size_of::<T>()
}

/// Writes the header for a value of type `T` made here and now.
pub(super) fn write<T: Shareable>(file: impl AsFd) -> io::Result<()> {
    files::write_at(file.as_fd(), &encode::<T>()?, 0)
}

fn encode<T: Shareable>() -> io::Result<Bytes> {
    let mut bytes = [0; LEN];
    put(&mut bytes, MAGIC_AT, MAGIC);
    put(&mut bytes, VERSION_AT, VERSION.to_ne_bytes());
    put(&mut bytes, CREATOR_AT, std::process::id().to_ne_bytes());
    put(&mut bytes, LAYOUT_AT, T::LAYOUT.to_ne_bytes());
    put(&mut bytes, SIZE_AT, (size_of::<T>() as u64).to_ne_bytes());
    put(
        &mut bytes,
        PID_NAMESPACE_AT,
        files::pid_namespace()?.to_ne_bytes(),
    );
    put(&mut bytes, BOOT_AT, files::boot_id()?.to_ne_bytes());
    put(&mut bytes, CREATED_AT, unix_seconds().to_ne_bytes());
    Ok(bytes)
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
    let bytes = read(file)?;
    check_type::<T>(&bytes)?;
    at_least(len, file_len::<T>())?;
    check_origin(&bytes)
}

fn read(file: &OwnedFd) -> Result<Bytes, ShareError> {
    let mut bytes = [0; LEN];
    let found = files::read_at(file.as_fd(), &mut bytes, 0).map_err(share_error)?;
    at_least(found as u64, LEN)?;
    Ok(bytes)
}

fn at_least(found: u64, expected: usize) -> Result<(), ShareError> {
    let expected = expected as u64;
    if found < expected {
        Err(ShareError::TooSmall { found, expected })
    } else {
        Ok(())
    }
}

fn check_type<T: Shareable>(bytes: &Bytes) -> Result<(), ShareError> {
    if get(bytes, MAGIC_AT) != MAGIC {
        return Err(ShareError::BadMagic);
    }
    // From here on the order matters: the version says what the rest of the header means.
    let (found, expected) = (u32::from_ne_bytes(get(bytes, VERSION_AT)), VERSION);
    if found != expected {
        return Err(ShareError::VersionMismatch { found, expected });
    }
    let (found, expected) = (u64::from_ne_bytes(get(bytes, LAYOUT_AT)), T::LAYOUT);
    if found != expected {
        return Err(ShareError::LayoutMismatch { found, expected });
    }
    let (found, expected) = (
        u64::from_ne_bytes(get(bytes, SIZE_AT)),
        size_of::<T>() as u64,
    );
    if found != expected {
        return Err(ShareError::SizeMismatch { found, expected });
    }
    Ok(())
}

fn check_origin(bytes: &Bytes) -> Result<(), ShareError> {
    // The boot first: PID namespaces are told apart within one boot only.
    if u128::from_ne_bytes(get(bytes, BOOT_AT)) != files::boot_id().map_err(share_error)? {
        return Err(ShareError::StaleBoot);
    }
    let here = files::pid_namespace().map_err(share_error)?;
    if u64::from_ne_bytes(get(bytes, PID_NAMESPACE_AT)) != here {
        return Err(ShareError::ForeignPidNamespace);
    }
    Ok(())
}

fn put<const N: usize>(bytes: &mut Bytes, at: usize, field: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&field);
}

fn get<const N: usize>(bytes: &Bytes, at: usize) -> [u8; N] {
    core::array::from_fn(|i| bytes[at + i])
}
