//! What becomes of a lock, as one attempt shows it, and who waits for it.

use std::mem::forget;

use procsync::{AcquireError, Lock};

use super::until;

/// For good: the guard is forgotten.
pub fn hold<T>(lock: &Lock<T>) {
    forget(lock.acquire().expect("free and sound"));
}

pub fn is_held<T>(lock: &Lock<T>) -> bool {
    matches!(lock.try_acquire(), Err(AcquireError::WouldBlock))
}

pub fn is_poisoned_and_free<T>(lock: &Lock<T>) -> bool {
    matches!(lock.try_acquire(), Err(AcquireError::Poisoned(_)))
}

pub fn is_sound_and_free<T>(lock: &Lock<T>) -> bool {
    lock.try_acquire().is_ok()
}

/// Waits until as many sleep on it.
pub fn until_asleep<T>(lock: &Lock<T>, count: usize) {
    until(|| lock.waiters() == count).expect("they fall asleep");
}

/// The child never unmaps it.
pub fn static_in_child<T>(value: &T) -> &'static T {
    // SAFETY: called in a child that ends without dropping what it inherited.
    unsafe { &*std::ptr::from_ref(value) }
}
