//! How many threads sleep in a primitive.

use std::sync::atomic::AtomicU32;

use rustix::thread::futex;

/// How many threads of all processes sleep on the first word of `primitive`, its state: that is where
/// all of this crate's sleep. Asks the kernel, as `Lock::waiters` does; the dead do not count.
///
/// Of a `Barrier`, on little-endian machines.
pub fn sleepers<P>(primitive: &P) -> usize {
    count(primitive, futex::Flags::empty())
}

/// How many threads of this process are in all queues of a primitive with an obituary: they have looked
/// at its state for the last time, and only sleep now. Those that [`sleepers`] counts may look once
/// more.
pub fn settled_sleepers<P>(primitive: &P) -> usize {
    count(primitive, futex::Flags::PRIVATE)
}

fn count<P>(primitive: &P, flags: futex::Flags) -> usize {
    const { assert!(size_of::<P>() >= 4 && align_of::<P>() >= 4) };
    let word = std::ptr::from_ref(primitive).cast::<AtomicU32>();
    // SAFETY: the first word of each primitive is an atomic, or half of one, and only the kernel
    // looks at it, which requeues nobody, from the word to itself.
    let word = unsafe { &*word };
    futex::requeue(word, flags, 0, u32::MAX >> 1, word).expect("a mapped word")
}
