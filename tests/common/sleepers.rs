//! How many threads sleep in a primitive.

use std::sync::atomic::AtomicU32;

use rustix::thread::futex;

/// How many threads of all processes sleep on the first word of `primitive`, its state: that is where
/// all of this crate's sleep. Asks the kernel, as `Lock::waiters` does; the dead do not count.
///
/// Of a `Barrier`, on little-endian machines.
pub fn sleepers<P>(primitive: &P) -> usize {
    const { assert!(size_of::<P>() >= 4 && align_of::<P>() >= 4) };
    let word = std::ptr::from_ref(primitive).cast::<AtomicU32>();
    // SAFETY: the first word of each primitive is an atomic, or half of one, and only the kernel
    // looks at it, which requeues nobody, from the word to itself.
    let word = unsafe { &*word };
    futex::requeue(word, futex::Flags::empty(), 0, u32::MAX >> 1, word).expect("a mapped word")
}
