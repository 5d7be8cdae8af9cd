//! How a value is shared under a name.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::name::Name;
use super::{Shareable, Shared, share_error};
use crate::ShareError;
use crate::kernel::files;

/// How a value is shared under a name: with which permissions, and whose it
/// must be.
///
/// One set of options may be used for many values.
///
/// # Examples
///
/// ```
/// use procsync::{Shared, SharedOptions};
///
/// # let name = &format!("/procsync-doc-options-{}", std::process::id());
/// let group = SharedOptions::new().mode(0o660);
/// let shared: Shared<[u8; 16]> = group.create(name, [0; 16])?;
/// # procsync::unlink(name)?;
/// # Ok::<(), procsync::ShareError>(())
/// ```
///
/// # Between two processes
///
/// Two processes share a counter with their group, in a directory of their own, and neither knows
/// who comes first:
///
#[doc = include_str!("../../docs/examples/shared_options.md")]
#[derive(Clone, Debug)]
pub struct SharedOptions {
    mode: u32,
    owner: Option<u32>,
}

impl Default for SharedOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SharedOptions {
    /// Accessible to the user who creates, and to nobody else.
    pub const fn new() -> Self {
        Self {
            mode: 0o600,
            owner: None,
        }
    }

    /// The permission bits of what is created, exactly: the umask is not applied. Whoever is to
    /// open it must be allowed to read *and* write. Bits beyond `0o777` are ignored. What exists
    /// already keeps its own.
    #[must_use]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// The user ID of whoever should have made what is opened: a file of anybody else is refused
    /// before anything in it is looked at, with [`WrongOwner`](ShareError::WrongOwner). Where all may make
    /// files, as in `/dev/shm`, others may take a name first. Without this, the owner does not matter.
    ///
    /// It tells who made the file, not who else may write to it: that is what the owner has allowed, by
    /// the [`mode`](Self::mode).
    ///
    /// # Examples
    ///
    /// ```
    /// use procsync::{Lock, SharedOptions};
    ///
    /// # let name = &format!("/procsync-doc-owner-{}", std::process::id());
    /// let mine = SharedOptions::new().expect_owner(rustix::process::geteuid().as_raw());
    /// let lock = mine.open_or_create(name, || Lock::new(0_u32))?;
    /// # procsync::unlink(name)?;
    /// # Ok::<(), procsync::ShareError>(())
    /// ```
    #[must_use]
    pub const fn expect_owner(mut self, uid: u32) -> Self {
        self.owner = Some(uid);
        self
    }

    /// Shares `value` under `name`, which nobody has yet.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ShareError::AlreadyExists);
    /// [`NotFound`](ShareError::NotFound) if there is no such directory;
    /// [`PermissionDenied`](ShareError::PermissionDenied);
    /// [`InvalidName`](ShareError::InvalidName);
    /// [`Os`](ShareError::Os), among others if the file system is full, or cannot make files
    /// without a name (`O_TMPFILE` in [open(2)]), which is how an unfinished value stays unseen;
    /// [`NoRobustList`](ShareError::NoRobustList).
    ///
    /// [open(2)]: https://man7.org/linux/man-pages/man2/open.2.html
    pub fn create<T>(&self, name: &str, value: T) -> Result<Shared<T>, ShareError>
    where
        T: Shareable + Sync,
    {
        let place = Place::find(name)?;
        let unnamed = self.build(&place, || value)?;
        place.link(&unnamed)?;
        Ok(unnamed)
    }

    /// Opens the value that was shared under `name`. Its own mode counts, not that of these
    /// options.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ShareError::NotFound), [`PermissionDenied`](ShareError::PermissionDenied),
    /// [`InvalidName`](ShareError::InvalidName), [`Os`](ShareError::Os); and if there is something,
    /// but not a value of this type that this process may use, the first that holds of
    /// [`NotRegular`](ShareError::NotRegular), [`WrongOwner`](ShareError::WrongOwner),
    /// [`BadMagic`](ShareError::BadMagic), [`VersionMismatch`](ShareError::VersionMismatch),
    /// [`LayoutMismatch`](ShareError::LayoutMismatch), [`SizeMismatch`](ShareError::SizeMismatch),
    /// [`StaleBoot`](ShareError::StaleBoot),
    /// [`ForeignPidNamespace`](ShareError::ForeignPidNamespace); or
    /// [`TooSmall`](ShareError::TooSmall) where the file ends before what is to be looked at. Then
    /// [`NoRobustList`](ShareError::NoRobustList).
    pub fn open<T>(&self, name: &str) -> Result<Shared<T>, ShareError>
    where
        T: Shareable + Sync,
    {
        Shared::from_fd(self.open_file(&Place::find(name)?)?)
    }

    /// Opens the value that was shared under `name` or, if there is none, shares one. Where several
    /// processes do so at once, exactly one's value is shared.
    ///
    /// `value` is called at most once, and only if there was nothing under the name; what it
    /// returns is given up if another process is faster. If it panics, nothing is shared.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open) and [`create`](Self::create), less
    /// [`AlreadyExists`](ShareError::AlreadyExists);
    /// [`NotFound`](ShareError::NotFound) if there is no such directory.
    ///
    /// # Panics
    ///
    /// As `value` does.
    pub fn open_or_create<T>(
        &self,
        name: &str,
        value: impl FnOnce() -> T,
    ) -> Result<Shared<T>, ShareError>
    where
        T: Shareable + Sync,
    {
        let place = Place::find(name)?;
        match self.open_file(&place) {
            Err(ShareError::NotFound) => self.link_or_open(&place, self.build(&place, value)?),
            opened => Shared::from_fd(opened?),
        }
    }

    // It goes round only if another process unlinked the name between two system calls of this one;
    // so somebody always gets on, and nobody waits.
    fn link_or_open<T>(
        &self,
        place: &Place<'_>,
        unnamed: Shared<T>,
    ) -> Result<Shared<T>, ShareError>
    where
        T: Shareable + Sync,
    {
        loop {
            match place.link(&unnamed) {
                Err(ShareError::AlreadyExists) => {}
                linked => return linked.map(|()| unnamed),
            }
            match self.open_file(place) {
                Err(ShareError::NotFound) => {}
                opened => return Shared::from_fd(opened?),
            }
        }
    }

    // Whose file it is, is asked of what was opened: the name may be another's by now.
    fn open_file(&self, place: &Place<'_>) -> Result<OwnedFd, ShareError> {
        let file = place.open()?;
        if let Some(expected) = self.owner {
            let found = files::owner(file.as_fd()).map_err(share_error)?;
            if found != expected {
                return Err(ShareError::WrongOwner { found, expected });
            }
        }
        Ok(file)
    }

    fn build<T>(
        &self,
        place: &Place<'_>,
        value: impl FnOnce() -> T,
    ) -> Result<Shared<T>, ShareError>
    where
        T: Shareable + Sync,
    {
        let file = files::unnamed(place.directory.as_fd()).map_err(share_error)?;
        let unnamed = Shared::build(file, value)?;
        files::set_mode(unnamed.as_fd(), self.mode).map_err(share_error)?;
        Ok(unnamed)
    }
}

// Where a value is, or may be, shared.
struct Place<'a> {
    directory: OwnedFd,
    file: &'a str,
}

impl<'a> Place<'a> {
    fn find(name: &'a str) -> Result<Self, ShareError> {
        let name = Name::parse(name)?;
        let directory = files::directory(name.directory).map_err(share_error)?;
        Ok(Self {
            directory,
            file: name.file,
        })
    }

    fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    fn open(&self) -> Result<OwnedFd, ShareError> {
        let file = files::open(self.directory(), self.file).map_err(share_error)?;
        file.ok_or(ShareError::NotRegular)
    }

    fn link<T>(&self, unnamed: &Shared<T>) -> Result<(), ShareError> {
        files::link(unnamed.as_fd(), self.directory(), self.file).map_err(share_error)
    }
}
