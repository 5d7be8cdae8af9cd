//! How many threads sleep in a primitive.

use std::sync::atomic::AtomicU32;

use rustix::thread::futex;

/// How many threads of all processes sleep on the first word of `primitive`, its state: that is where
/// all of the crate's sleep. The kernel tells: it looks at them, and requeues nobody, from the word to
/// itself.
pub fn sleepers<P>(primitive: &P) -> usize {
    const { assert!(size_of::<P>() >= 4 && align_of::<P>() >= 4) };
    let word = std::ptr::from_ref(primitive).cast::<AtomicU32>();
    // SAFETY: the first word of each primitive is an atomic, or half of one, and only the kernel
    // looks at it.
    let word = unsafe { &*word };
    futex::requeue(word, futex::Flags::empty(), 0, u32::MAX >> 1, word).expect("a mapped word")
}
