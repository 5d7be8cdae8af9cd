//! libc's mutexes, process-shared, in a shared mapping.

use std::mem::MaybeUninit;

use memmap2::MmapRaw;

use super::Rival;

/// A process-shared mutex, at the start of a mapping of its own.
pub(super) struct Pthread {
    memory: MmapRaw,
}

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
        let size = size_of::<libc::pthread_mutex_t>();
        // Shared, although it has no file: forked children have the same memory.
        let memory = memmap2::MmapMut::map_anon(size).expect("shared memory");
        let mutex = Self {
            memory: memory.into(),
        };
        let mut attributes = MaybeUninit::uninit();
        let attributes: *mut libc::pthread_mutexattr_t = attributes.as_mut_ptr();
        // SAFETY: the attributes are a local, initialized by the first call and destroyed by the
        // last; the mutex's place is large enough, page-aligned, and nobody else's yet.
        #[expect(
            clippy::multiple_unsafe_ops_per_block,
            reason = "one set of attributes, used and destroyed"
        )]
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

    #[inline]
    fn place(&self) -> *mut libc::pthread_mutex_t {
        self.memory.as_mut_ptr().cast()
    }
}

impl Rival for Pthread {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        // SAFETY: `new` initialized the mutex; it lives, in its place, as long as the mapping.
        let locked = unsafe { libc::pthread_mutex_lock(self.place()) };
        assert_eq!(locked, 0, "nobody dies here");
        section();
        // SAFETY: as above, and this thread has locked it.
        let unlocked = unsafe { libc::pthread_mutex_unlock(self.place()) };
        assert_eq!(unlocked, 0, "this thread has locked it");
    }
}
