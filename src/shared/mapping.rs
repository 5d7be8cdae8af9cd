//! A file mapped into this process, known to the crate as shared memory while it is.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

use memmap2::{MmapOptions, MmapRaw};

use crate::regions::Region;

/// The first bytes of a file, readable and writable, shared with all who map it.
#[derive(Debug)]
pub(super) struct Mapping {
    memory: ManuallyDrop<MmapRaw>,
    // Taken by `drop` only.
    region: Option<Region>,
    file: OwnedFd,
}

impl Mapping {
    /// Maps the first `len` bytes of `file`, which has as many.
    pub(super) fn new(file: OwnedFd, len: usize) -> io::Result<Self> {
        let memory = MmapOptions::new().len(len).map_raw(file.as_raw_fd())?;
        let region = Region::register(memory.as_ptr().addr(), memory.len());
        Ok(Self {
            memory: ManuallyDrop::new(memory),
            region: Some(region),
            file,
        })
    }

    /// The first byte, at the start of a page.
    pub(super) fn start(&self) -> NonNull<u8> {
        NonNull::new(self.memory.as_mut_ptr()).expect("the kernel maps nothing at address zero")
    }
}

impl AsFd for Mapping {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // A thread that forgot a guard still has its lock in here on its robust list, for the
        // kernel to follow: then the memory stays for good. Better lost than reused.
        if self.region.take().is_some_and(Region::retire) {
            // SAFETY: nobody uses `memory` after this; it is dropped here only.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        }
    }
}
