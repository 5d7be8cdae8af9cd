//! Memory that a process and its children share.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::{MmapOptions, MmapRaw};
use procsync::{Lock, RLock};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// A type that has zeroed memory as a value and nothing to drop.
///
/// # Safety
///
/// All-zero bytes are a valid value.
pub unsafe trait Plain {}

// SAFETY: integers and atomics.
unsafe impl Plain for () {}
// SAFETY: as above.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for AtomicU32 {}
// SAFETY: as above.
unsafe impl Plain for AtomicU64 {}
// SAFETY: the same memory as `T`.
unsafe impl<T: Plain> Plain for Cell<T> {}
// SAFETY: promised in the type's documentation.
unsafe impl<T: Plain> Plain for Lock<T> {}
// SAFETY: promised in the type's documentation.
unsafe impl<T: Plain> Plain for RLock<T> {}
// SAFETY: nothing but `T`s.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}
// SAFETY: nothing but `A` and `B`.
unsafe impl<A: Plain, B: Plain> Plain for (A, B) {}

/// One `T` in a shared mapping of its own, at first all zeros.
pub struct Mapped<T> {
    memory: MmapRaw,
    value: PhantomData<T>,
}

impl<T: Plain> Mapped<T> {
    pub fn zeroed() -> Self {
        assert!(align_of::<T>() <= 4096);
        let length = size_of::<T>().max(1);
        let file = memfd_create("procsync-test", MemfdFlags::CLOEXEC).expect("memory can be had");
        ftruncate(&file, length as u64).expect("memory can be had");
        let memory = MmapOptions::new().len(length).map_raw(&file);
        Self {
            memory: memory.expect("memory can be mapped"),
            value: PhantomData,
        }
    }

    /// Makes it all zeros again. No process may be using it.
    pub fn clear(&mut self) {
        // SAFETY: the whole of a mapping of our own, and `&mut self`.
        unsafe { self.memory.as_mut_ptr().write_bytes(0, self.memory.len()) };
    }
}

impl<T> Deref for Mapped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `zeroed` made sure of size and alignment, and `T: Plain` is valid as zeros.
        unsafe { &*self.memory.as_ptr().cast() }
    }
}
