//! The system calls on files, and what tells one boot or PID namespace from another.
//!
//! A name is reached through its directory's descriptor, so that what happens to the path, or to
//! the working directory, during an operation cannot make its steps meet different directories.

use core::sync::atomic::{AtomicU64, Ordering};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    self, AtFlags, CWD, FallocateFlags, FileType, MemfdFlags, Mode, OFlags, SealFlags,
};
use rustix::io::{Errno, pread, pwrite, retry_on_intr};

// `thread-self`, not `self`: the latter shows the main thread, which may have ended already.
const PID_NAMESPACE: &str = "/proc/thread-self/ns/pid";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

// On a tmpfs a signal undoes and ends an allocation under way. A piece is small enough to be done
// between two ticks of a profiler's timer, so that trying it again comes to an end.
const PIECE: u64 = 1 << 20;

/// What the error of a name is that is too long, until the oldest Rust supported has a kind for it.
pub(crate) const NAME_TOO_LONG: i32 = Errno::NAMETOOLONG.raw_os_error();

/// Opens the directory at `path`, only to reach the names in it.
pub(crate) fn directory(path: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(retry_on_intr(|| fs::open(path, flags, Mode::empty()))?)
}

/// Opens the regular file `name`, to read and write. `None`: something else has that name.
pub(crate) fn open(directory: BorrowedFd<'_>, name: &str) -> io::Result<Option<OwnedFd>> {
    // NONBLOCK and NOCTTY matter only for what is about to be refused: a FIFO must not make the
    // caller wait, a terminal must not become the process's own.
    let flags =
        OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    match retry_on_intr(|| fs::openat(directory, name, flags, Mode::empty())) {
        // A symbolic link; a directory; a socket, or a device without a driver.
        Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO | Errno::NODEV) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(file) => Ok(regular_len(&file)?.map(|_| file)),
    }
}

/// Opens the regular file `name` only to read, links followed. `None`: something else has that name.
///
/// Nothing else is opened, not even for an instant: to open a FIFO or a device may change it. So the
/// name is only reached first, and what it is found to be is opened.
pub(crate) fn open_to_read(directory: BorrowedFd<'_>, name: &str) -> io::Result<Option<OwnedFd>> {
    let reach = OFlags::PATH | OFlags::CLOEXEC;
    let reached = retry_on_intr(|| fs::openat(directory, name, reach, Mode::empty()))?;
    if regular_len(&reached)?.is_none() {
        return Ok(None);
    }
    let path = format!("/proc/thread-self/fd/{}", reached.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(Some(retry_on_intr(|| {
        fs::open(path.as_str(), flags, Mode::empty())
    })?))
}

/// The length of a regular file. `None`: it is something else.
pub(crate) fn regular_len(file: &OwnedFd) -> io::Result<Option<u64>> {
    let stat = fs::fstat(file)?;
    let regular = FileType::from_raw_mode(stat.st_mode).is_file();
    Ok(u64::try_from(stat.st_size).ok().filter(|_| regular))
}

/// The user whose file it is.
pub(crate) fn owner(file: BorrowedFd<'_>) -> io::Result<u32> {
    Ok(fs::fstat(file)?.st_uid)
}

/// Makes an empty file that has no name yet, on the file system of `directory`.
pub(crate) fn unnamed(directory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match retry_on_intr(|| fs::openat(directory, ".", flags, Mode::RUSR | Mode::WUSR)) {
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this file system cannot make files without a name (O_TMPFILE); use another \
             directory, best on a tmpfs",
        )),
        result => Ok(result?),
    }
}

/// Makes an empty file in memory that can be sealed and never gets a name.
pub(crate) fn memory() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match fs::memfd_create("procsync", flags | MemfdFlags::NOEXEC_SEAL) {
        // A kernel before 6.3, which does not know the flag. Later ones may insist on it.
        Err(Errno::INVAL) => Ok(fs::memfd_create("procsync", flags)?),
        result => Ok(result?),
    }
}

/// Fixes the length of a file made by [`memory`], for everybody and for ever.
pub(crate) fn seal_len(file: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fs::fcntl_add_seals(
        file,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
    )?)
}

/// Makes an empty file `len` zero bytes long and reserves the space, so that a full file system
/// shows here, as an error, and never later, as a SIGBUS.
pub(crate) fn allocate(file: BorrowedFd<'_>, len: u64) -> io::Result<()> {
    let mut done = 0;
    while done < len {
        let piece = PIECE.min(len - done);
        allocate_piece(file, done, piece)?;
        done += piece;
    }
    Ok(())
}

fn allocate_piece(file: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
    match retry_on_intr(|| fs::fallocate(file, FallocateFlags::empty(), offset, len)) {
        // Space that was written to is reserved on every file system.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(file, offset, len),
        result => Ok(result?),
    }
}

fn write_zeros(file: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<()> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let end = offset + len;
    for at in (offset..end).step_by(ZEROS.len()) {
        let rest = usize::try_from(end - at).unwrap_or(usize::MAX);
        write_at(file, &ZEROS[..rest.min(ZEROS.len())], at)?;
    }
    Ok(())
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_at(file: BorrowedFd<'_>, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = retry_on_intr(|| pwrite(file, bytes, offset))?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

/// Reads up to the end of `buffer` or of the file, and says how many bytes there were.
pub(crate) fn read_at(file: BorrowedFd<'_>, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        let rest = &mut buffer[filled..];
        match pread(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

/// Gives a file exactly these permission bits. The umask, which applies to the mode given at a
/// file's creation, does not apply here.
pub(crate) fn set_mode(file: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    Ok(fs::fchmod(file, Mode::from_raw_mode(mode))?)
}

/// Gives a file made by [`unnamed`] its name: the one instant at which it comes to exist for others.
pub(crate) fn link(file: BorrowedFd<'_>, directory: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    // Linking the descriptor itself (AT_EMPTY_PATH) would need a capability before Linux 6.10.
    let unnamed = format!("/proc/thread-self/fd/{}", file.as_raw_fd());
    Ok(fs::linkat(
        CWD,
        unnamed,
        directory,
        name,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

/// Takes a name away; the file lives on for those who have it.
pub(crate) fn unlink(directory: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    Ok(fs::unlinkat(directory, name, AtFlags::empty())?)
}

/// The identity of this process's PID namespace, among those that exist now.
pub(crate) fn pid_namespace() -> io::Result<u64> {
    let stat = fs::stat(PID_NAMESPACE).map_err(|error| unreadable(PID_NAMESPACE, error.into()))?;
    Ok(stat.st_ino)
}

/// The identity of the running system, from its boot to its end. Asked for once: it takes as long as all
/// the rest of opening a mapping.
pub(crate) fn boot_id() -> io::Result<u128> {
    // No lock, which a forked child might find taken. Who sees one half only asks again.
    static KNOWN: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
    let [high, low] = KNOWN.each_ref().map(|half| half.load(Ordering::Relaxed));
    if high != 0 && low != 0 {
        return Ok(u128::from(high) << 64 | u128::from(low));
    }
    let id = read_boot_id()?;
    let [high, low] = &KNOWN;
    high.store((id >> 64) as u64, Ordering::Relaxed);
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    low.store(id as u64, Ordering::Relaxed);
    Ok(id)
}

fn read_boot_id() -> io::Result<u128> {
    let text = std::fs::read_to_string(BOOT_ID).map_err(|error| unreadable(BOOT_ID, error))?;
    let digits = text.trim().replace('-', "");
    u128::from_str_radix(&digits, 16)
        .map_err(|_| unreadable(BOOT_ID, io::ErrorKind::InvalidData.into()))
}

// A missing /proc must not look like a missing name: the kind of the cause stays in the text.
fn unreadable(path: &str, error: io::Error) -> io::Error {
    io::Error::other(format!(
        "cannot read {path}: {error}; procsync needs /proc to be mounted"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn content(file: &OwnedFd) -> Vec<u8> {
        let len = regular_len(file).unwrap().unwrap();
        let mut bytes = vec![1; usize::try_from(len).unwrap() + 1];
        let read = read_at(file.as_fd(), &mut bytes, 0).unwrap();
        bytes.truncate(read);
        bytes
    }

    #[test]
    fn allocation_gives_zeros_of_the_exact_length() {
        for len in [0, 1, 4096, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17] {
            let file = memory().unwrap();
            allocate(file.as_fd(), len).unwrap();
            assert_eq!(content(&file), vec![0; usize::try_from(len).unwrap()]);
        }
    }

    #[test]
    fn written_zeros_have_the_exact_length_and_keep_what_is_before() {
        for len in [1, 4095, 4096, 4097, 10_000] {
            let file = memory().unwrap();
            write_at(file.as_fd(), b"abc", 0).unwrap();
            write_zeros(file.as_fd(), 3, len).unwrap();
            let bytes = content(&file);
            assert_eq!(&bytes[..3], b"abc");
            assert_eq!(&bytes[3..], vec![0; usize::try_from(len).unwrap()]);
        }
    }

    #[test]
    fn a_missing_proc_is_not_a_missing_name() {
        let error = unreadable(BOOT_ID, Errno::NOENT.into());
        assert_eq!(error.kind(), io::ErrorKind::Other);
        assert!(error.to_string().contains(BOOT_ID));
    }
}
