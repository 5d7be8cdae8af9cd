//! Whether an address is memory that other processes can have too.

use core::ffi::c_void;
use core::ptr;

use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{self, Updater};
use rustix::mm::{MremapFlags, mremap, munmap};

// `thread-self`, not `self`: the latter shows the main thread, which may have ended already, and then has
// no mappings.
const MAPS: &str = "/proc/thread-self/maps";

/// Whether the mapping at `address` is a shared one, as `/proc` tells, or else as the kernel deals with it.
/// `None`: it does not tell.
pub(crate) fn is_shared(address: usize) -> Option<bool> {
    look_up(address).or_else(|| try_to_double(address))
}

/// `None`: there is no `/proc`, or no descriptor to be had.
fn look_up(address: usize) -> Option<bool> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let maps = rustix::fs::open(MAPS, flags, Mode::empty()).ok()?;
    ask(&maps, address).or_else(|| search(&maps, address))
}

/// Whether the mapping can be had a second time, as shared ones can, and no others (`mremap(2)`, of an old
/// size of zero; before Linux 4.14 of any).
fn try_to_double(address: usize) -> Option<bool> {
    let page = page_size()?;
    let start = ptr::with_exposed_provenance_mut::<c_void>(address - address % page);
    // SAFETY: it leaves the old mapping as it is, and makes the new one where nothing is.
    match unsafe { mremap(start, 0, page, MremapFlags::MAYMOVE) } {
        Ok(double) => {
            // SAFETY: just made, and known to nobody.
            let _ = unsafe { munmap(double, page) };
            Some(true)
        }
        Err(Errno::INVAL) => Some(false),
        Err(_) => None,
    }
}

fn page_size() -> Option<usize> {
    // SAFETY: asks for a number.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()
}

/// The kernel's `struct procmap_query`.
#[repr(C)]
#[derive(Default)]
struct Query {
    size: u64,
    flags: u64,
    address: u64,
    start: u64,
    end: u64,
    vma_flags: u64,
    page_size: u64,
    offset: u64,
    inode: u64,
    device: [u32; 2],
    name_size: u32,
    build_id_size: u32,
    name: u64,
    build_id: u64,
}

const VMA_SHARED: u64 = 0x08;

/// `PROCMAP_QUERY` (Linux 6.11): one mapping, without printing them all.
fn ask(maps: impl AsFd, address: usize) -> Option<bool> {
    const PROCMAP_QUERY: ioctl::Opcode = ioctl::opcode::read_write::<Query>(b'f', 17);
    let mut query = Query {
        size: size_of::<Query>() as u64,
        address: address as u64,
        ..Query::default()
    };
    // SAFETY: the opcode takes a `struct procmap_query` of the size named in it, and writes no
    // more: the name and build ID buffers are empty.
    let asked = unsafe { Updater::<PROCMAP_QUERY, Query>::new(&mut query) };
    // SAFETY: the file is of /proc, where this opcode has this meaning; elsewhere it fails.
    unsafe { ioctl::ioctl(maps, asked) }.ok()?;
    Some(query.vma_flags & VMA_SHARED != 0)
}

/// The same from the text, for older kernels: lines of `start-end rwxs …`.
fn search(maps: impl AsFd, address: usize) -> Option<bool> {
    let mut text = [0; 4096];
    let mut line = Line::default();
    loop {
        let length = rustix::io::read(&maps, &mut text).ok()?;
        if length == 0 {
            return Some(false);
        }
        for &byte in &text[..length] {
            if byte != b'\n' {
                line.push(byte);
            } else if let Some(shared) = core::mem::take(&mut line).covers(address) {
                return Some(shared);
            }
        }
    }
}

/// The beginning of a line: all that matters of it.
struct Line {
    bytes: [u8; 48],
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            bytes: [0; 48],
            length: 0,
        }
    }
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    /// Whether the mapping is shared, if `address` lies in it.
    fn covers(&self, address: usize) -> Option<bool> {
        let text = core::str::from_utf8(&self.bytes[..self.length]).ok()?;
        let (range, rest) = text.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let start = usize::from_str_radix(start, 16).ok()?;
        let end = usize::from_str_radix(end, 16).ok()?;
        (start..end)
            .contains(&address)
            .then(|| rest.as_bytes().get(3) == Some(&b's'))
    }
}

const _: () = assert!(size_of::<Query>() == 104);
const _: () = assert!(size_of::<*const c_void>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    static IN_DATA: u32 = 1;

    fn maps() -> std::fs::File {
        std::fs::File::open(MAPS).unwrap()
    }

    #[test]
    fn shared_and_private_memory_are_told_apart() {
        let shared = crate::Shared::anonymous([0_u8; 4096]).unwrap();
        let local = 0_u8;
        let boxed = Box::new(0_u8);
        let cases = [
            (shared.as_ptr().addr(), true),
            ((&raw const shared[4095]).addr(), true),
            ((&raw const local).addr(), false),
            ((&raw const *boxed).addr(), false),
            ((&raw const IN_DATA).addr(), false),
        ];
        for (address, expected) in cases {
            assert_eq!(is_shared(address), Some(expected), "{address:#x}");
            assert_eq!(
                search(maps(), address),
                Some(expected),
                "{address:#x}, from the text"
            );
            assert_eq!(
                try_to_double(address),
                Some(expected),
                "{address:#x}, by doubling"
            );
        }
    }

    #[test]
    fn the_query_and_the_text_agree_where_both_answer() {
        let shared = crate::Shared::anonymous([0_u8; 4096]).unwrap();
        let address = shared.as_ptr().addr();
        if let Some(answer) = ask(maps(), address) {
            assert_eq!(Some(answer), search(maps(), address));
        }
    }
}
