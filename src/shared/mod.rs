//! A value in a mapping that several processes have.

pub(crate) mod description;
mod difference;
mod error;
pub(crate) mod header;
pub(crate) mod layout;
mod mapping;
mod moved;
pub(crate) mod name;
mod options;
mod refused;
mod shareable;

use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::kernel::files;
use crate::robust;
use mapping::Mapping;
use name::Name;

pub use description::Description;
pub use error::ShareError;
pub use layout::of_struct;
pub use options::SharedOptions;
pub use shareable::Shareable;

/// A value that several processes have in their memory.
///
/// It is made by one process, and had by others by its name, by a file descriptor, or by [fork(2)].
/// Clones are cheap and share one mapping ([mmap(2)], `MAP_SHARED`), which ends with the last of
/// them; or never, if a thread has forgotten the guard of a lock in it.
///
/// A name with one slash, in front (`"/x"`), is a POSIX shared-memory name ([shm_open(3)]). A name
/// with a directory in it (`"/run/app/state"`, `"./x"`) is the path of a file; best on a tmpfs,
/// since elsewhere the kernel writes the changes to the disk from time to time. Who unlinks a name,
/// and when, is told in [first steps](crate::guide::first_steps#names).
///
/// # Process death
///
/// A name is either whole or absent: the value is built in a file without a name, which gets its
/// name in one step. A creator that is killed at any instant leaves nothing behind; one that opens
/// never waits and never sees a value half-made. Where several processes create at once, exactly
/// one wins.
///
/// A name stays until it is [`unlink`]ed or, for a POSIX name, the system restarts.
///
/// All who share a value are in the PID namespace that it was made in; who opens it
/// elsewhere is refused ([containers](crate::guide::containers)).
///
/// # What it does not do
///
/// The value's destructor never runs, nor do those of its fields: nobody knows who is the last to
/// use it. That holds from the moment the value is handed over, also when the operation then fails
/// or another process wins.
///
/// Those who may write to the file are trusted not to shorten it: a process that uses what was cut
/// off gets a SIGBUS. (An [`anonymous`](Self::anonymous) one cannot be shortened.) What contents
/// they leave there does not matter: every bit pattern is a value.
///
/// The alignment of `T` may be at most 4096; more does not compile.
///
/// Primitives need no `Shared`: they work in any [mapping of your own](crate::guide::mappings).
///
/// # Between two processes
///
/// By a name, which is taken away as soon as nobody needs it any more:
///
#[doc = include_str!("../../docs/examples/shared.md")]
///
/// # Without a name
///
/// A descriptor is passed on to a process that is started. It is closed on exec (`O_CLOEXEC` in
/// [open(2)]), so that no program gets it by accident; [`Command`](std::process::Command) leaves
/// open what it is told to make the other's standard input, and the other takes it from there:
///
#[doc = include_str!("../../docs/examples/shared_fd.md")]
///
/// For a process that runs already, there are `SCM_RIGHTS` ([unix(7)]) and, if it may look at the
/// owner's, the file `/proc/PID/fd/N` ([`from_fd`](Self::from_fd)).
///
/// # Examples
///
/// ```
/// use procsync::Shared;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// # let name = &format!("/procsync-doc-{}", std::process::id());
/// let hits = Shared::open_or_create(name, || AtomicU64::new(0))?;
/// hits.fetch_add(1, Relaxed);
///
/// // Here, or in any other process:
/// let same = Shared::<AtomicU64>::open(name)?;
/// assert_eq!(same.load(Relaxed), 1);
/// # procsync::unlink(name)?;
/// # Ok::<(), procsync::ShareError>(())
/// ```
///
/// [fork(2)]: https://man7.org/linux/man-pages/man2/fork.2.html
/// [mmap(2)]: https://man7.org/linux/man-pages/man2/mmap.2.html
/// [open(2)]: https://man7.org/linux/man-pages/man2/open.2.html
/// [shm_open(3)]: https://man7.org/linux/man-pages/man3/shm_open.3.html
/// [unix(7)]: https://man7.org/linux/man-pages/man7/unix.7.html
#[doc(alias("shm_open", "mmap", "MAP_SHARED", "shared memory"))]
pub struct Shared<T: ?Sized> {
    // Points into `mapping`, or to a `'static` that `project` was answered with.
    value: NonNull<T>,
    mapping: Arc<Mapping>,
}

/// Takes the name away from the value that has it. Those who have the value keep it; the name is
/// free for another. The memory is given back when the last of them is gone, killed or not.
///
/// It asks nobody, and does not look at what is in the file.
///
/// ```
/// use procsync::{ShareError, Shared};
///
/// # let name = &format!("/procsync-doc-unlink-{}", std::process::id());
/// let number = Shared::create(name, 7_u32)?;
/// procsync::unlink(name)?;
/// assert!(matches!(procsync::unlink(name), Err(ShareError::NotFound)));
/// assert_eq!(*number, 7);
/// # Ok::<(), ShareError>(())
/// ```
///
/// # Errors
///
/// [`NotFound`](ShareError::NotFound), [`PermissionDenied`](ShareError::PermissionDenied),
/// [`InvalidName`](ShareError::InvalidName), [`NotRegular`](ShareError::NotRegular) for a
/// directory, [`Os`](ShareError::Os).
#[doc(alias("shm_unlink", "remove", "delete"))]
pub fn unlink(name: &str) -> Result<(), ShareError> {
    let name = Name::parse(name)?;
    let directory = files::directory(name.directory).map_err(share_error)?;
    files::unlink(directory.as_fd(), name.file).map_err(share_error)
}

// Each method has the bounds, not the block: so who does not meet them is told why, and not only that there
// is no such method.
impl<T> Shared<T> {
    /// Shares `value` under no name: by `fork`, or by passing the descriptor ([`AsFd`]) to a
    /// process that calls [`from_fd`](Self::from_fd). The memory cannot be shortened by anybody: it
    /// is that of [memfd_create(2)], sealed (`F_SEAL_SHRINK` in [fcntl(2)]).
    ///
    /// # Errors
    ///
    /// [`Os`](ShareError::Os), where there is no memory or no descriptor left, or no `/proc`.
    /// [`NoRobustList`](ShareError::NoRobustList).
    ///
    /// [fcntl(2)]: https://man7.org/linux/man-pages/man2/fcntl.2.html
    /// [memfd_create(2)]: https://man7.org/linux/man-pages/man2/memfd_create.2.html
    #[doc(alias("memfd_create", "MAP_ANONYMOUS"))]
    pub fn anonymous(value: T) -> Result<Self, ShareError>
    where
        T: Shareable + Sync,
    {
        let file = files::memory().map_err(share_error)?;
        let shared = Self::build(file, || value)?;
        files::seal_len(shared.as_fd()).map_err(share_error)?;
        Ok(shared)
    }

    /// Shares `value` under `name`, which nobody has yet, accessible to this user only.
    ///
    /// # Errors
    ///
    /// As for [`SharedOptions::create`].
    pub fn create(name: &str, value: T) -> Result<Self, ShareError>
    where
        T: Shareable + Sync,
    {
        SharedOptions::new().create(name, value)
    }

    /// Opens the value that was shared under `name`.
    ///
    /// # Errors
    ///
    /// As for [`SharedOptions::open`].
    pub fn open(name: &str) -> Result<Self, ShareError>
    where
        T: Shareable + Sync,
    {
        SharedOptions::new().open(name)
    }

    /// Opens the value that was shared under `name` or, if there is none, shares one, accessible to
    /// this user only. Where several processes do so at once, exactly one's value is shared.
    ///
    /// # Errors
    ///
    /// As for [`SharedOptions::open_or_create`].
    pub fn open_or_create(name: &str, value: impl FnOnce() -> T) -> Result<Self, ShareError>
    where
        T: Shareable + Sync,
    {
        SharedOptions::new().open_or_create(name, value)
    }

    /// Opens the value in the file behind a descriptor, which must be open to read and write.
    ///
    /// # Errors
    ///
    /// As for [`SharedOptions::open`]; [`PermissionDenied`](ShareError::PermissionDenied) also if
    /// it is open to read only.
    ///
    /// # Examples
    ///
    /// What another process of the same user has open can be had through `/proc`.
    /// ([`open`](Self::open) does not follow links, of which that is one.)
    ///
    /// ```
    /// use std::{fs::File, os::fd::{AsFd, AsRawFd}, process};
    /// use procsync::Shared;
    ///
    /// let theirs = Shared::anonymous(7_u32)?;
    /// let (pid, fd) = (process::id(), theirs.as_fd().as_raw_fd()); // they tell, in some way
    ///
    /// let path = format!("/proc/{pid}/fd/{fd}");
    /// let ours = Shared::<u32>::from_fd(File::options().read(true).write(true).open(path)?.into())?;
    /// assert_eq!(*ours, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_fd(fd: OwnedFd) -> Result<Self, ShareError>
    where
        T: Shareable + Sync,
    {
        header::check::<T>(&fd)?;
        Self::map(fd)
    }

    // Makes a whole value in an empty file that nobody else knows.
    fn build(file: OwnedFd, value: impl FnOnce() -> T) -> Result<Self, ShareError>
    where
        T: Shareable + Sync,
    {
        let description = description::encode(T::DESCRIPTION, size_of::<T>(), T::LAYOUT);
        let len = header::description_offset::<T>() + description.len();
        files::allocate(file.as_fd(), len as u64).map_err(share_error)?;
        let shared = Self::map(file)?;
        let value = value();
        // SAFETY: `map` answers with a place for a `T`, aligned, readable and writable. Nobody
        // else uses it yet: no reference to it was made, and the file is known here only.
        unsafe { shared.value.write(value) };
        moved::free_locks(&*shared);
        header::write::<T>(&shared, &description).map_err(share_error)?;
        Ok(shared)
    }

    // The value in a file that was checked, or its place in a file that is being made.
    fn map(file: OwnedFd) -> Result<Self, ShareError> {
        if robust::is_unheard() {
            return Err(ShareError::NoRobustList);
        }
        let mapping = Mapping::new(file, header::value_end::<T>()).map_err(share_error)?;
        // SAFETY: the offset is within the length that was mapped, or at its end if `T` is empty.
        let value = unsafe { mapping.start().byte_add(header::value_offset::<T>()) };
        // It is aligned: the mapping starts at a page, and both a page and the offset are
        // multiples of the alignment of `T`.
        Ok(Self {
            value: value.cast(),
            mapping: Arc::new(mapping),
        })
    }
}

impl<T: ?Sized> Shared<T> {
    /// A part of the value. It keeps the whole mapping alive, and is had and passed on as the whole
    /// is: the lock of a struct, say, for a thread that needs nothing else of it. Its descriptor is
    /// that of the whole.
    ///
    /// # Panics
    ///
    /// As `f` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use procsync::Shared;
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    ///
    /// let all = Shared::anonymous([const { AtomicU32::new(7) }; 16])?;
    /// let third = all.project(|all| &all[3]);
    /// drop(all);
    /// assert_eq!(third.load(Relaxed), 7);
    /// # Ok::<(), procsync::ShareError>(())
    /// ```
    #[doc(alias("map", "part"))]
    pub fn project<U: ?Sized + 'static>(&self, f: impl FnOnce(&T) -> &U) -> Shared<U>
    where
        T: 'static,
    {
        // `f` works for every lifetime, however long, and neither type bounds it: so what it
        // answers with is in the mapping, or lives for ever.
        let value = NonNull::from(f(self));
        Shared {
            value,
            mapping: Arc::clone(&self.mapping),
        }
    }
}

// SAFETY: a `Shared` gives out `&T` and nothing else: it neither moves nor drops a `T`. So what a
// thread may do with the `Shared` that another made is what it may do with a `&T`, which `Sync`
// allows. The mapping may be used and unmapped by any thread.
unsafe impl<T: ?Sized + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Shared<T> {}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: aligned, and within the mapping, which `self` keeps (or in a static). A value of
        // `T` is there, since every bit pattern is one (`Shareable`). Nobody makes a `&mut` to it,
        // and other processes change it only where `T: Sync` lets other threads.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value,
            mapping: Arc::clone(&self.mapping),
        }
    }
}

impl<T: ?Sized> AsFd for Shared<T> {
    /// The descriptor of the whole file, to pass to other processes. It is closed on exec.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.mapping.as_fd()
    }
}

impl<T: ?Sized> fmt::Debug for Shared<T> {
    /// Where it is. The value itself, if it implements `Debug`: `{:?}` of `*shared`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("address", &self.value)
            .finish_non_exhaustive()
    }
}

// What an error of the system means for a name.
pub(crate) fn share_error(error: io::Error) -> ShareError {
    match error.kind() {
        io::ErrorKind::NotFound => ShareError::NotFound,
        io::ErrorKind::AlreadyExists => ShareError::AlreadyExists,
        io::ErrorKind::PermissionDenied => ShareError::PermissionDenied,
        io::ErrorKind::IsADirectory => ShareError::NotRegular,
        _ if error.raw_os_error() == Some(files::NAME_TOO_LONG) => ShareError::InvalidName,
        _ => ShareError::Os(error),
    }
}
