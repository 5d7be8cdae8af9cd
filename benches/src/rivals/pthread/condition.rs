//! Condition variables, by the monotonic clock.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use super::mutex::{Guard, Mutex};
use crate::placed::Placed;
use crate::traits::{self, GuardOf};

/// Initialized, and where it stays.
pub(crate) struct Condition(UnsafeCell<libc::pthread_cond_t>);

// SAFETY: threads are what a condition variable is for.
unsafe impl Sync for Condition {}

impl Condition {
    pub(crate) fn new() -> Placed<Self> {
        // SAFETY: a `Condition` is a cell of what is initialized, no more.
        unsafe { Placed::in_place(1, |place: *mut Self| initialize(place.cast())) }
    }

    /// Until a moment of the monotonic clock; whether it came.
    pub(crate) fn wait_until(&self, guard: &Guard<'_>, deadline: &libc::timespec) -> bool {
        // SAFETY: both are initialized and in their places; the guard's thread has locked the mutex.
        let waited = unsafe { libc::pthread_cond_timedwait(self.0.get(), guard.0.raw(), deadline) };
        waited == libc::ETIMEDOUT
    }
}

fn initialize(place: *mut libc::pthread_cond_t) {
    let mut attributes = MaybeUninit::uninit();
    let attributes: *mut libc::pthread_condattr_t = attributes.as_mut_ptr();
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "one set of attributes, used and destroyed"
    )]
    // SAFETY: the attributes are a local, initialized by the first call and destroyed by the last;
    // the condition variable's place is large enough, aligned, and nobody else's yet.
    let results = unsafe {
        [
            libc::pthread_condattr_init(attributes),
            libc::pthread_condattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED),
            libc::pthread_condattr_setclock(attributes, libc::CLOCK_MONOTONIC),
            libc::pthread_cond_init(place, attributes),
            libc::pthread_condattr_destroy(attributes),
        ]
    };
    assert_eq!(results, [0; 5], "libc has such condition variables");
}

impl traits::Condition for Condition {
    type Lock = Mutex;

    #[inline]
    fn wait<'lock>(&self, guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        // SAFETY: both are initialized and in their places; the guard's thread has locked the mutex.
        let waited = unsafe { libc::pthread_cond_wait(self.0.get(), guard.0.raw()) };
        assert_eq!(waited, 0, "nobody dies here");
        guard
    }

    #[inline]
    fn notify_one(&self) {
        // SAFETY: initialized, and in its place.
        unsafe { libc::pthread_cond_signal(self.0.get()) };
    }

    #[inline]
    fn notify_all(&self) {
        // SAFETY: initialized, and in its place.
        unsafe { libc::pthread_cond_broadcast(self.0.get()) };
    }
}
