//! A file that is looked at, and never written to.

use core::sync::atomic::AtomicU32;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use memmap2::{MmapOptions, MmapRaw};

use crate::kernel::{self, files};
use crate::shared::header::Header;
use crate::shared::name::Name;
use crate::shared::share_error;
use crate::{ShareError, Shareable};

/// A copy is taken for what was there at one instant if the next one is the same; so often it is tried.
const TRIES: usize = 8;

/// The value in a file.
#[derive(Debug)]
pub(super) struct File {
    file: OwnedFd,
    value_at: u64,
    /// Of the value and what is before it, for the kernel to find the sleepers by. Nobody reads there: if
    /// somebody shortens the file, that would be a SIGBUS.
    mapping: MmapRaw,
}

impl File {
    /// Opens what is under `name`, links followed.
    pub(super) fn open(name: &str) -> Result<(Self, Header), ShareError> {
        let name = Name::parse(name)?;
        let directory = files::directory(name.directory).map_err(share_error)?;
        let file = files::open_to_read(directory.as_fd(), name.file).map_err(share_error)?;
        let file = file.ok_or(ShareError::NotRegular)?;
        let header = Header::read(file.as_fd())?;
        let file = Self::map(file, &header)?;
        Ok((file, header))
    }

    fn map(file: OwnedFd, header: &Header) -> Result<Self, ShareError> {
        let found = files::regular_len(&file).map_err(share_error)?;
        let found = found.ok_or(ShareError::NotRegular)?;
        let expected = header.value_at.saturating_add(header.size);
        let len = usize::try_from(expected).ok().filter(|_| expected <= found);
        let len = len.ok_or(ShareError::TooSmall { found, expected })?;
        let mapping = MmapOptions::new()
            .len(len)
            .map_raw_read_only(file.as_raw_fd());
        Ok(Self {
            mapping: mapping.map_err(share_error)?,
            value_at: header.value_at,
            file,
        })
    }

    /// What the file says of the value's type.
    pub(super) fn description(&self, header: &Header) -> Option<Vec<u8>> {
        header.read_description(self.file.as_fd())
    }

    /// Reads a part of the value.
    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), ShareError> {
        let offset = self.value_at + at;
        let read = files::read_at(self.file.as_fd(), bytes, offset).map_err(share_error)?;
        if read < bytes.len() {
            return Err(ShareError::TooSmall {
                found: offset + read as u64,
                expected: offset + bytes.len() as u64,
            });
        }
        Ok(())
    }

    /// A private copy of one primitive, as it was at one instant if it keeps still for one.
    pub(super) fn copy<P: Shareable>(&self, at: u64) -> Result<P, ShareError> {
        let mut copy = vec![0; size_of::<P>()];
        let mut again = copy.clone();
        self.read(at, &mut copy)?;
        for _ in 0..TRIES {
            self.read(at, &mut again)?;
            if copy == again {
                break;
            }
            core::mem::swap(&mut copy, &mut again);
        }
        // SAFETY: as many bytes as a `P` has, and whatever they are, they are one (`Shareable`).
        Ok(unsafe { copy.as_ptr().cast::<P>().read_unaligned() })
    }

    /// How many threads sleep on the word at this place of the value.
    pub(super) fn asleep(&self, at: u64) -> usize {
        let offset = usize::try_from(self.value_at + at).unwrap_or(usize::MAX);
        let word: *const AtomicU32 = self.mapping.as_ptr().wrapping_add(offset).cast();
        kernel::count_sleepers_at(word)
    }
}
