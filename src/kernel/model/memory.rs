//! Atomics, and the links of robust lists.

use core::ffi::c_void;
use core::ptr::NonNull;

use loom::sync::atomic as explored;

use super::death::{look_at, step};
use super::{ME, is_over, world};
use crate::sync::Ordering;

macro_rules! atomic {
    ($Atomic:ident, $number:ty) => {
        /// loom's, with a possible death before every access.
        ///
        /// A store is a swap: the kernel looks at the one current value, which loom knows only where
        /// every change of an atomic saw the change before it.
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $Atomic(pub(super) explored::$Atomic);

        impl $Atomic {
            pub(crate) fn new(value: $number) -> Self {
                Self(explored::$Atomic::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $number {
                step();
                self.0.load(order)
            }

            #[allow(dead_code, reason = "for one of the two")]
            pub(crate) fn store(&self, value: $number, order: Ordering) {
                step();
                self.0.swap(value, order);
            }

            /// The one current value: what a read-modify-write sees, and this one changes nothing. A
            /// plain load may see an older one; a change to the same value would be one more that others
            /// may see.
            pub(super) fn current(&self) -> $number {
                const NEVER: $number = 0x5a5a_5a5a;
                let order = Ordering::Relaxed;
                let seen = self.0.compare_exchange(NEVER, NEVER, order, order);
                seen.unwrap_or_else(|current| current)
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $number,
                new: $number,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$number, $number> {
                step();
                self.0.compare_exchange(current, new, success, failure)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

pub(crate) unsafe fn store_link(at: usize, value: usize) {
    if is_over() {
        return;
    }
    step();
    look_at(at);
    let pending = ME.with(|me| me.head().pending);
    world(|world| {
        world.links.insert(at, value);
        if at == pending && value != 0 {
            world.entries.insert(value);
        }
    });
}

pub(crate) unsafe fn store_entry(at: usize, value: usize) {
    // SAFETY: the caller's promise.
    unsafe { store_link(at, value) };
}

pub(crate) unsafe fn load_link(at: usize) -> usize {
    let head = ME.with(|me| me.head().list);
    world(|world| {
        world
            .links
            .get(&at)
            .copied()
            .unwrap_or(if at == head { head } else { 0 })
    })
}

pub(crate) fn zeroed_memory(bytes: usize) -> Option<NonNull<c_void>> {
    let layout = std::alloc::Layout::from_size_align(bytes, 64).ok()?;
    // SAFETY: the layout is not of size 0.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }.cast())
}

#[expect(clippy::unnecessary_wraps, reason = "the real kernel may not tell")]
pub(crate) fn is_shared(_address: usize) -> Option<bool> {
    Some(!world(|world| world.private))
}
