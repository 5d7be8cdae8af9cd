//! libc's semaphore.

use std::cell::UnsafeCell;

use crate::placed::Placed;
use crate::traits::Semaphore;

/// Initialized, and where it stays.
pub(crate) struct SemT(UnsafeCell<libc::sem_t>);

// SAFETY: threads are what a semaphore is for.
unsafe impl Sync for SemT {}

unsafe extern "C" {
    // glibc 2.30 has it, the libc crate not.
    fn sem_clockwait(
        semaphore: *mut libc::sem_t,
        clock: libc::clockid_t,
        deadline: *const libc::timespec,
    ) -> libc::c_int;
}

impl SemT {
    /// Process-shared.
    pub(crate) fn new(permits: u32) -> Placed<Self> {
        Self::of(true, permits)
    }

    /// For threads of one process.
    pub(crate) fn private(permits: u32) -> Placed<Self> {
        Self::of(false, permits)
    }

    fn of(is_shared: bool, permits: u32) -> Placed<Self> {
        let initialize = |place: *mut Self| {
            // SAFETY: the place is large enough, aligned, and nobody else's yet.
            let made = unsafe { libc::sem_init(place.cast(), i32::from(is_shared), permits) };
            assert_eq!(made, 0, "libc has such semaphores");
        };
        // SAFETY: a `SemT` is a cell of what is initialized, no more.
        unsafe { Placed::in_place(1, initialize) }
    }

    /// Until a moment of the monotonic clock; whether it came.
    pub(crate) fn acquire_until(&self, deadline: &libc::timespec) -> bool {
        // SAFETY: initialized, and in its place; the deadline is a reference.
        unsafe { sem_clockwait(self.0.get(), libc::CLOCK_MONOTONIC, deadline) != 0 }
    }
}

impl Semaphore for SemT {
    #[inline]
    fn acquire(&self) {
        // SAFETY: initialized, and in its place.
        let acquired = unsafe { libc::sem_wait(self.0.get()) };
        assert_eq!(acquired, 0, "nothing interrupts it");
    }

    #[inline]
    fn release(&self) {
        // SAFETY: initialized, and in its place.
        let released = unsafe { libc::sem_post(self.0.get()) };
        assert_eq!(released, 0, "far from the limit");
    }
}
