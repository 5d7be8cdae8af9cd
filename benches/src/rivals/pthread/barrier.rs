//! Barriers.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use crate::placed::Placed;
use crate::traits;

/// Initialized, and where it stays.
pub(crate) struct Barrier(UnsafeCell<libc::pthread_barrier_t>);

// SAFETY: threads are what a barrier is for.
unsafe impl Sync for Barrier {}

impl Barrier {
    pub(crate) fn new(parties: u32) -> Placed<Self> {
        // SAFETY: a `Barrier` is a cell of what is initialized, no more.
        unsafe { Placed::in_place(1, |place: *mut Self| initialize(place.cast(), parties)) }
    }
}

fn initialize(place: *mut libc::pthread_barrier_t, parties: u32) {
    let mut attributes = MaybeUninit::uninit();
    let attributes: *mut libc::pthread_barrierattr_t = attributes.as_mut_ptr();
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "one set of attributes, used and destroyed"
    )]
    // SAFETY: the attributes are a local, initialized by the first call and destroyed by the last;
    // the barrier's place is large enough, aligned, and nobody else's yet.
    let results = unsafe {
        [
            libc::pthread_barrierattr_init(attributes),
            libc::pthread_barrierattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED),
            libc::pthread_barrier_init(place, attributes, parties),
            libc::pthread_barrierattr_destroy(attributes),
        ]
    };
    assert_eq!(results, [0; 4], "libc has such barriers");
}

impl traits::Barrier for Barrier {
    #[inline]
    fn wait(&self) {
        // SAFETY: initialized, and in its place.
        let waited = unsafe { libc::pthread_barrier_wait(self.0.get()) };
        let is_leader = waited == libc::PTHREAD_BARRIER_SERIAL_THREAD;
        assert!(waited == 0 || is_leader, "no other answer");
    }
}
