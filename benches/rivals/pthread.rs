//! libc's mutexes, process-shared, in a shared mapping.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;

use procsync::Shared;

use super::Rival;

const WORDS: usize = size_of::<libc::pthread_mutex_t>().div_ceil(size_of::<AtomicU64>());

const _: () = assert!(align_of::<libc::pthread_mutex_t>() <= align_of::<AtomicU64>());

/// A process-shared mutex in a mapping of its own. The memory is declared as atomics, which are
/// shareable and may change behind a shared reference; nobody uses them as such.
pub(super) struct Pthread {
    memory: Shared<[AtomicU64; WORDS]>,
}

/// Initialized.
pub(super) struct Mutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: threads are what a mutex is for.
unsafe impl Sync for Mutex {}

impl Pthread {
    pub(super) fn plain() -> Self {
        Self::new(libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_MUTEX_STALLED)
    }

    pub(super) fn robust() -> Self {
        Self::new(libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_MUTEX_ROBUST)
    }

    pub(super) fn recursive_robust() -> Self {
        Self::new(libc::PTHREAD_MUTEX_RECURSIVE, libc::PTHREAD_MUTEX_ROBUST)
    }

    fn new(kind: libc::c_int, robustness: libc::c_int) -> Self {
        let memory = Shared::anonymous([const { AtomicU64::new(0) }; WORDS]);
        let mutex = Self {
            memory: memory.expect("shared memory"),
        };
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
                libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED),
                libc::pthread_mutexattr_settype(attributes, kind),
                libc::pthread_mutexattr_setrobust(attributes, robustness),
                libc::pthread_mutex_init(mutex.place(), attributes),
                libc::pthread_mutexattr_destroy(attributes),
            ]
        };
        assert_eq!(results, [0; 6], "libc has such mutexes");
        mutex
    }

    fn place(&self) -> *mut libc::pthread_mutex_t {
        std::ptr::from_ref(&*self.memory).cast_mut().cast()
    }
}

impl Deref for Pthread {
    type Target = Mutex;

    fn deref(&self) -> &Mutex {
        // SAFETY: large enough and aligned (`WORDS`, the assertion), initialized by `new`, mapped as
        // long as `self` lives; all changes go through the `UnsafeCell`.
        unsafe { &*self.place().cast::<Mutex>() }
    }
}

impl Rival for Mutex {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        // SAFETY: the mutex is initialized, and stays in its place.
        let locked = unsafe { libc::pthread_mutex_lock(self.0.get()) };
        assert_eq!(locked, 0, "nobody dies here");
        section();
        // SAFETY: as above, and this thread has locked it.
        let unlocked = unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        assert_eq!(unlocked, 0, "this thread has locked it");
    }
}
