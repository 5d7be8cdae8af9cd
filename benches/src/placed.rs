//! Places in shared memory for the primitives of others.

use std::ops::Deref;
use std::ptr::{NonNull, null_mut};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// One or more values in a shared mapping of their own. They are not dropped: what is shared has no
/// single owner.
pub(crate) struct Placed<T> {
    start: NonNull<T>,
    count: usize,
}

// SAFETY: it gives shared access only, as a reference does.
unsafe impl<T: Sync> Sync for Placed<T> {}

impl<T> Placed<T> {
    #[cfg(feature = "rivals")]
    pub(crate) fn new(value: T) -> Self {
        let mut value = Some(value);
        Self::many(1, || value.take().expect("one value"))
    }

    pub(crate) fn many(count: usize, mut make: impl FnMut() -> T) -> Self {
        // SAFETY: the place is aligned, large enough for a `T`, and nobody else's yet.
        let initialize = |place: *mut T| unsafe { place.write(make()) };
        // SAFETY: there is a `T` in the place then.
        unsafe { Self::in_place(count, initialize) }
    }

    /// # Safety
    ///
    /// `initialize` makes a `T` in its argument, which is aligned, large enough, all zeros, and nobody
    /// else's.
    pub(crate) unsafe fn in_place(count: usize, mut initialize: impl FnMut(*mut T)) -> Self {
        assert!(align_of::<T>() <= 64, "less than a page");
        let length = count * size_of::<T>();
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: without an address and MAP_FIXED it does not touch other mappings.
        let start = unsafe { mmap_anonymous(null_mut(), length, access, flags) };
        let start = start.expect("shared memory").cast::<T>();
        for index in 0..count {
            initialize(start.wrapping_add(index));
        }
        let start = NonNull::new(start).expect("not at address zero");
        Self { start, count }
    }

    pub(crate) fn all(&self) -> &[T] {
        // SAFETY: so many values were made there, and are mapped as long as `self` lives; whatever
        // changes in them is behind an `UnsafeCell` or in an atomic.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl<T> AsRef<[T]> for Placed<T> {
    fn as_ref(&self) -> &[T] {
        self.all()
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as in `all`; the first of them.
        unsafe { self.start.as_ref() }
    }
}

impl<T> Drop for Placed<T> {
    fn drop(&mut self) {
        let length = self.count * size_of::<T>();
        // SAFETY: mapped in `in_place` with this length; no reference lives longer than `self`.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), length) };
        unmapped.expect("it was mapped");
    }
}
