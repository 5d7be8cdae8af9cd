//! `rufutex`: Drepper's futex mutex.

use std::cell::UnsafeCell;

use rufutex::rufutex::SharedFutex;

use crate::placed::Placed;
use crate::traits::Lock;

/// A place for its word, of which each acquisition makes a handle: that needs an exclusive reference.
pub(crate) struct Mutex(UnsafeCell<u32>);

// SAFETY: only `SharedFutex` uses the word, as an atomic.
unsafe impl Sync for Mutex {}

pub(crate) fn mutex() -> Placed<Mutex> {
    Placed::new(Mutex(UnsafeCell::new(0)))
}

impl Mutex {
    #[inline]
    fn handle(&self) -> SharedFutex {
        SharedFutex::new(self.0.get().cast())
    }
}

pub(crate) struct Guard<'lock>(&'lock Mutex);

impl Lock for Mutex {
    type Guard<'lock> = Guard<'lock>;

    #[inline]
    fn lock(&self) -> Guard<'_> {
        self.handle().lock();
        Guard(self)
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.handle().unlock(1);
    }
}
