//! libc's robust mutex.

use std::cell::UnsafeCell;

use super::Plain;

/// A robust mutex that processes share. To be initialized before use.
#[repr(transparent)]
pub struct Pthread(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: a mutex is for all threads.
unsafe impl Sync for Pthread {}
// SAFETY: zeros are a plain mutex.
unsafe impl Plain for Pthread {}

/// In what state a mutex was locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Clean,
    OwnerDied,
}

impl Pthread {
    pub fn initialize(&self) {
        let mut attributes = std::mem::MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: initialized by the first call, used by the next ones.
        #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one initialization")]
        unsafe {
            libc::pthread_mutexattr_init(attributes);
            libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST);
            libc::pthread_mutex_init(self.0.get(), attributes);
        }
    }

    pub fn lock(&self) -> Found {
        // SAFETY: an initialized mutex.
        let result = unsafe { libc::pthread_mutex_lock(self.0.get()) };
        self.found(result).expect("a mutex can be locked")
    }

    /// `None`: somebody has it.
    pub fn try_lock(&self) -> Option<Found> {
        // SAFETY: an initialized mutex.
        let result = unsafe { libc::pthread_mutex_trylock(self.0.get()) };
        self.found(result)
    }

    pub fn unlock(&self) {
        // SAFETY: an initialized mutex that this thread has locked.
        let result = unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        assert_eq!(result, 0, "the thread had it");
    }

    fn found(&self, result: libc::c_int) -> Option<Found> {
        match result {
            0 => Some(Found::Clean),
            libc::EOWNERDEAD => {
                // SAFETY: a mutex that this thread has locked.
                unsafe { libc::pthread_mutex_consistent(self.0.get()) };
                Some(Found::OwnerDied)
            }
            _ => None,
        }
    }
}
