//! Mutexes: plain or robust, recursive or not.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use crate::placed::Placed;
use crate::traits::Lock;

/// Initialized, and where it stays.
pub(crate) struct Mutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: threads are what a mutex is for.
unsafe impl Sync for Mutex {}

/// What it can.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    recursive: bool,
    robust: bool,
    private: bool,
}

impl Kind {
    pub(crate) const PLAIN: Self = Self {
        recursive: false,
        robust: false,
        private: false,
    };
    pub(crate) const ROBUST: Self = Self {
        robust: true,
        ..Self::PLAIN
    };
    pub(crate) const RECURSIVE: Self = Self {
        recursive: true,
        ..Self::PLAIN
    };
    pub(crate) const RECURSIVE_ROBUST: Self = Self {
        robust: true,
        ..Self::RECURSIVE
    };
    pub(crate) const PRIVATE: Self = Self {
        private: true,
        ..Self::PLAIN
    };

    fn initialize(self, place: *mut libc::pthread_mutex_t) {
        let kind = choose(
            self.recursive,
            libc::PTHREAD_MUTEX_RECURSIVE,
            libc::PTHREAD_MUTEX_NORMAL,
        );
        let robustness = choose(
            self.robust,
            libc::PTHREAD_MUTEX_ROBUST,
            libc::PTHREAD_MUTEX_STALLED,
        );
        let sharing = choose(
            self.private,
            libc::PTHREAD_PROCESS_PRIVATE,
            libc::PTHREAD_PROCESS_SHARED,
        );
        let mut attributes = MaybeUninit::uninit();
        let attributes: *mut libc::pthread_mutexattr_t = attributes.as_mut_ptr();
        #[expect(
            clippy::multiple_unsafe_ops_per_block,
            reason = "one set of attributes, used and destroyed"
        )]
        // SAFETY: the attributes are a local, initialized by the first call and destroyed by the
        // last; the mutex's place is large enough, aligned, and nobody else's yet.
        let results = unsafe {
            [
                libc::pthread_mutexattr_init(attributes),
                libc::pthread_mutexattr_setpshared(attributes, sharing),
                libc::pthread_mutexattr_settype(attributes, kind),
                libc::pthread_mutexattr_setrobust(attributes, robustness),
                libc::pthread_mutex_init(place, attributes),
                libc::pthread_mutexattr_destroy(attributes),
            ]
        };
        assert_eq!(results, [0; 6], "libc has such mutexes");
    }
}

fn choose(condition: bool, yes: libc::c_int, no: libc::c_int) -> libc::c_int {
    if condition { yes } else { no }
}

impl Mutex {
    pub(crate) fn new(kind: Kind) -> Placed<Self> {
        Self::many(1, kind)
    }

    pub(crate) fn many(count: usize, kind: Kind) -> Placed<Self> {
        // SAFETY: a `Mutex` is a cell of what is initialized, no more.
        unsafe { Placed::in_place(count, |place: *mut Self| kind.initialize(place.cast())) }
    }

    pub(super) fn raw(&self) -> *mut libc::pthread_mutex_t {
        self.0.get()
    }

    #[inline]
    fn acquire(&self) -> libc::c_int {
        // SAFETY: the mutex is initialized, and stays in its place.
        unsafe { libc::pthread_mutex_lock(self.0.get()) }
    }
}

/// Of the thread that has locked it.
pub(crate) struct Guard<'lock>(pub(super) &'lock Mutex);

impl Lock for Mutex {
    type Guard<'lock> = Guard<'lock>;

    #[inline]
    fn lock(&self) -> Guard<'_> {
        assert_eq!(self.acquire(), 0, "nobody dies here");
        Guard(self)
    }

    fn tells_of_death(&self) -> bool {
        let acquired = self.acquire();
        let guard = Guard(self);
        let is_told = acquired == libc::EOWNERDEAD;
        assert!(is_told || acquired == 0, "no other answer");
        if is_told {
            // SAFETY: initialized, in its place, robust, and this thread has locked it.
            let repaired = unsafe { libc::pthread_mutex_consistent(self.0.get()) };
            assert_eq!(repaired, 0, "it was inconsistent");
        }
        drop(guard);
        is_told
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: initialized, in its place, and this thread has locked it.
        let unlocked = unsafe { libc::pthread_mutex_unlock(self.0.0.get()) };
        assert_eq!(unlocked, 0, "this thread has locked it");
    }
}
