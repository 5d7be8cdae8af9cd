//! `posix-sync`: pthread's, with types.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use posix_sync::barrier::{BarrierBuilder, BarrierSharing, BorrowedBarrier, RawBarrierAlloc};
use posix_sync::condvar::{BorrowedCondvar, CondvarBuilder, CondvarSharing, RawCondvarAlloc};
use posix_sync::mutex::guards::StandardGuard;
use posix_sync::mutex::robustness_markers::Standard;
use posix_sync::mutex::{BorrowedMutex, MutexBuilder, MutexSharing, RawMutexAlloc};

use crate::placed::Placed;
use crate::traits::{self, GuardOf, Monitor, Parts};

/// A place for one of theirs, and the handle to it.
pub(crate) struct Borrowed<B, Raw> {
    /// For as long as the place is mapped.
    handle: B,
    _memory: Placed<Uninitialized<Raw>>,
}

struct Uninitialized<Raw>(UnsafeCell<MaybeUninit<Raw>>);

// SAFETY: nobody uses it but those to whom the pointer is given.
unsafe impl<Raw> Sync for Uninitialized<Raw> {}

impl<B, Raw> Borrowed<B, Raw> {
    fn new(build: impl FnOnce(*mut Raw) -> B) -> Box<Self> {
        let uninitialized = UnsafeCell::new(MaybeUninit::uninit());
        let memory = Placed::new(Uninitialized(uninitialized));
        Box::new(Self {
            handle: build(memory.0.get().cast()),
            _memory: memory,
        })
    }
}

pub(crate) type Mutex = Borrowed<BorrowedMutex<'static, Standard>, RawMutexAlloc>;
pub(crate) type Condvar = Borrowed<BorrowedCondvar<'static>, RawCondvarAlloc>;
pub(crate) type Barrier = Borrowed<BorrowedBarrier<'static>, RawBarrierAlloc>;

pub(crate) fn mutex() -> Box<Mutex> {
    let builder = MutexBuilder::new().with_sharing(MutexSharing::Shared);
    // SAFETY: `Borrowed` gives a place of the right size and alignment, for as long as the handle
    // lives; it gives it to nobody else.
    Borrowed::new(|place| unsafe { builder.build_borrowed(place, &()) })
}

pub(crate) fn barrier(parties: u32) -> Box<Barrier> {
    let builder = BarrierBuilder::new().with_sharing(BarrierSharing::Shared);
    // SAFETY: as for the mutex.
    Borrowed::new(|place| unsafe { builder.build_borrowed(place, &(), parties) }.expect("parties"))
}

fn condvar() -> Box<Condvar> {
    let builder = CondvarBuilder::new().with_sharing(CondvarSharing::Shared);
    // SAFETY: as for the mutex.
    Borrowed::new(|place| unsafe { builder.build_borrowed(place, &()) })
}

pub(crate) fn monitor() -> impl Monitor {
    Parts {
        lock: mutex(),
        conditions: [condvar(), condvar()],
    }
}

impl traits::Lock for Mutex {
    type Guard<'lock> = StandardGuard<'lock>;

    #[inline]
    fn lock(&self) -> StandardGuard<'_> {
        // SAFETY: initialized, never destroyed, and used through this interface only; no thread
        // locks it twice.
        unsafe { self.handle.lock() }.expect("nobody dies here")
    }
}

impl traits::Condition for Condvar {
    type Lock = Mutex;

    #[inline]
    fn wait<'lock>(&self, mut guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        // SAFETY: initialized, never destroyed; all who wait have guards of the same mutex.
        unsafe { self.handle.wait(&mut guard) }.expect("nobody dies here");
        guard
    }

    #[inline]
    fn notify_one(&self) {
        // SAFETY: initialized, and never destroyed.
        unsafe { self.handle.notify_one() }.expect("a condition variable");
    }

    #[inline]
    fn notify_all(&self) {
        // SAFETY: initialized, and never destroyed.
        unsafe { self.handle.notify_all() }.expect("a condition variable");
    }
}

impl traits::Barrier for Barrier {
    #[inline]
    fn wait(&self) {
        // SAFETY: initialized, and never destroyed.
        unsafe { self.handle.wait() }.expect("a barrier");
    }
}
