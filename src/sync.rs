//! The only door to atomics, thread-locals and the kernel: the real ones, or loom's and a model.
//! No other file of the protocol knows which.

pub(crate) use crate::kernel;
pub(crate) use core::sync::atomic::Ordering;

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, fence};
#[cfg(loom)]
pub(crate) use kernel::{AtomicU32, AtomicU64};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::fence;

/// A word that carries no protocol: a wrong value costs time, never correctness. Models leave it
/// out of what they explore.
pub(crate) use core::sync::atomic::AtomicU32 as Note;
pub(crate) use core::sync::atomic::AtomicU64 as LongNote;

/// A thread-local; with the real ones, one that costs no more than a variable.
macro_rules! per_thread {
    (static $name:ident: $type:ty = $value:expr) => {
        #[cfg(not(loom))]
        std::thread_local! { static $name: $type = const { $value }; }
        #[cfg(loom)]
        loom::thread_local! { static $name: $type = $value; }
    };
}
pub(crate) use per_thread;

/// What a process has once, behind a function. Under loom every test is a world of its own, and
/// tests run on threads of one process.
macro_rules! per_process {
    (fn $name:ident() -> $type:ty = $value:expr) => {
        fn $name() -> &'static $type {
            #[cfg(not(loom))]
            static ONLY: $type = $value;
            #[cfg(not(loom))]
            return &ONLY;
            #[cfg(loom)]
            std::thread_local! { static THIS: &'static $type = Box::leak(Box::new($value)); }
            #[cfg(loom)]
            return THIS.with(|this| *this);
        }
    };
}
pub(crate) use per_process;

/// A `const fn`; under loom, whose atomics cannot be made in constants, a plain one.
macro_rules! const_fn {
    ($(#[$attribute:meta])* $visibility:vis fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])* $visibility const fn $($rest)*
        #[cfg(loom)]
        $(#[$attribute])* $visibility fn $($rest)*
    };
}
pub(crate) use const_fn;

/// What a lock protects: an `UnsafeCell` whose accesses loom checks.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Protected<T: ?Sized>(Cell<T>);

#[cfg(not(loom))]
type Cell<T> = core::cell::UnsafeCell<T>;
#[cfg(loom)]
type Cell<T> = loom::cell::UnsafeCell<T>;

impl<T> Protected<T> {
    const_fn! {
        pub(crate) fn new(value: T) -> Self {
            Self(Cell::new(value))
        }
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Protected<T> {
    /// # Safety
    ///
    /// Nobody changes the value while the reference lives.
    #[inline]
    pub(crate) unsafe fn get(&self) -> &T {
        #[cfg(not(loom))]
        let pointer = self.0.get();
        #[cfg(loom)]
        let pointer = self.0.with(|pointer| pointer);
        // SAFETY: from a live reference, and the caller's promise.
        unsafe { &*pointer }
    }

    /// # Safety
    ///
    /// There is no other reference to the value while this one lives.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "that is what a lock is for")]
    pub(crate) unsafe fn get_mut_unchecked(&self) -> &mut T {
        #[cfg(not(loom))]
        let pointer = self.0.get();
        #[cfg(loom)]
        let pointer = self.0.with_mut(|pointer| pointer);
        // SAFETY: from a live reference, and the caller's promise.
        unsafe { &mut *pointer }
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        // SAFETY: the unique reference to the cell is the unique reference to the value.
        unsafe { self.get_mut_unchecked() }
    }
}
