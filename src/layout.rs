//! Every size, alignment and offset that users, other processes, or the kernel rely on. A change here
//! is a change of representation: CHANGELOG.md lists it, and the header's version goes up.

use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::{
    AcquireError, Barrier, BarrierError, BoundedSemaphore, Condition, Event, FutexWord, Lock,
    LockGuard, Permit, Poisoned, RLock, RLockGuard, ReleaseError, Semaphore, Timer, TimerError,
};

assert_impl_all!(Lock<core::cell::Cell<u32>>: Send, Sync);
assert_impl_all!(RLock<core::cell::Cell<u32>>: Send, Sync);
assert_not_impl_any!(Lock<*mut u8>: Send, Sync);
assert_not_impl_any!(RLock<*mut u8>: Send, Sync);
assert_not_impl_any!(LockGuard<'static, u32>: Send);
assert_not_impl_any!(RLockGuard<'static, u32>: Send);
assert_impl_all!(LockGuard<'static, u32>: Sync);
assert_impl_all!(RLockGuard<'static, u32>: Sync);
assert_not_impl_any!(LockGuard<'static, core::cell::Cell<u32>>: Sync);
assert_not_impl_any!(RLockGuard<'static, core::cell::Cell<u32>>: Sync);
assert_impl_all!(Lock<core::cell::Cell<u32>>: std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(RLock<core::cell::Cell<u32>>: std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(AcquireError<()>: std::error::Error, Send, Sync, Copy);
assert_impl_all!(Semaphore: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(BoundedSemaphore: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(Event: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(Condition: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(Barrier: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(Timer: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(FutexWord: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
assert_impl_all!(Permit<'static>: Send, Sync);
assert_impl_all!(Poisoned: std::error::Error, Send, Sync, Copy);
assert_impl_all!(ReleaseError: std::error::Error, Send, Sync, Copy);
assert_impl_all!(BarrierError: std::error::Error, Send, Sync, Copy);
assert_impl_all!(TimerError: std::error::Error, Send, Sync);

#[cfg(not(loom))]
mod representation {
    use core::mem::offset_of;
    use static_assertions::{assert_eq_align, assert_eq_size, const_assert_eq};

    use crate::raw_lock::{LINKS, RawLock};
    use crate::robust::DISTANCES;
    use crate::shared::header;
    use crate::{
        Barrier, BoundedSemaphore, Condition, Event, FutexWord, Lock, RLock, Semaphore, Shared,
        Timer,
    };

    assert_eq_size!(RawLock, Lock<()>, RLock<()>, [u64; 5]);
    assert_eq_align!(RawLock, Lock<()>, RLock<()>, u64);
    // glibc's entries lie 32 bytes behind the word, musl's 28.
    const_assert_eq!(LINKS, *DISTANCES.start());
    const_assert_eq!(size_of::<RawLock>() - size_of::<usize>(), *DISTANCES.end());
    // The value comes right behind.
    assert_eq_size!(Lock<u64>, RLock<u64>, [u64; 6]);
    assert_eq_size!(Lock<[u8; 3]>, Lock<u32>);
    const_assert_eq!(offset_of!(Lock<u64>, raw), 0);
    const_assert_eq!(offset_of!(RLock<u64>, raw), 0);

    assert_eq_size!(Semaphore, [u64; 2]);
    assert_eq_size!(BoundedSemaphore, [u64; 3]);
    assert_eq_size!(Event, [u32; 2]);
    assert_eq_size!(FutexWord, u32);
    assert_eq_size!(Condition, [u32; 10]);
    assert_eq_align!(Event, Condition, FutexWord, u32);
    assert_eq_align!(Semaphore, BoundedSemaphore, u64);
    assert_eq_size!(Barrier, [u64; 13]);
    assert_eq_size!(Timer, [u64; 7]);
    assert_eq_align!(Barrier, Timer, u64);

    const_assert_eq!(header::LEN, 128);
    const_assert_eq!(header::VERSION, 2);

    static_assertions::assert_impl_all!(Shared<Lock<u32>>: Send, Sync, Clone);
    static_assertions::assert_not_impl_any!(Shared<core::cell::Cell<u32>>: Send, Sync);
}
