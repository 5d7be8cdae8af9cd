//! The calling thread's robust list as the kernel and libc have it: where its head is, and how a link
//! is written. What is on it is the business of [`robust`](crate::robust).
//!
//! Sources: `get_robust_list(2)`, the kernel's `Documentation/locking/robust-futex-ABI.rst`.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering, compiler_fence};

use super::RobustHead;

/// The kernel's `struct robust_list_head`.
#[repr(C)]
struct ListHead {
    list: usize,
    futex_offset: isize,
    list_op_pending: usize,
}

const _: () = assert!(core::mem::offset_of!(ListHead, list_op_pending) == RobustHead::SLOT_AT);

/// The robust list that libc registered for the calling thread.
///
/// glibc registers one as it starts a thread. musl does so at the first robust mutex, so a thread
/// without a list gets to use one. `None`: there is no list still.
pub(crate) fn robust_head() -> Option<RobustHead> {
    let head = registered_head().or_else(|| {
        use_a_robust_mutex();
        registered_head()
    })?;
    // SAFETY: the kernel was given this address by libc, for as long as the thread lives.
    let futex_offset = unsafe { (*head.as_ptr()).futex_offset };
    let distance = futex_offset.checked_neg()?.unsigned_abs();
    let list = head.as_ptr().expose_provenance();
    (futex_offset < 0).then_some(RobustHead {
        list,
        pending: list + RobustHead::SLOT_AT,
        distance,
    })
}

/// Registers a head of our own for the calling thread, at an address that stays valid for ever, and
/// whether the kernel took it: a sandbox, or an emulator of system calls, may have refused.
pub(crate) fn register_head(at: usize) -> (RobustHead, bool) {
    const DISTANCE: usize = 32;
    let head: *mut ListHead = ptr::with_exposed_provenance_mut(at);
    let empty = ListHead {
        list: at,
        futex_offset: -(DISTANCE as isize),
        list_op_pending: 0,
    };
    // SAFETY: a place of this size in a record that belongs to this thread.
    unsafe { head.write(empty) };
    // SAFETY: set_robust_list(2) keeps the address, which stays valid.
    let result = unsafe { libc::syscall(libc::SYS_set_robust_list, head, size_of::<ListHead>()) };
    let pending = at + RobustHead::SLOT_AT;
    let head = RobustHead {
        list: at,
        pending,
        distance: DISTANCE,
    };
    (head, result == 0)
}

fn registered_head() -> Option<NonNull<ListHead>> {
    let mut head: *mut ListHead = ptr::null_mut();
    let mut length: usize = 0;
    // SAFETY: both pointers are to locals of the types that get_robust_list(2) writes.
    let result =
        unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
    if result == 0 {
        NonNull::new(head)
    } else {
        None
    }
}

/// Locks and unlocks a robust pthread mutex, for libc's sake.
fn use_a_robust_mutex() {
    let mut attributes = core::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let mut mutex = core::mem::MaybeUninit::<libc::pthread_mutex_t>::uninit();
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "one life of one mutex"
    )]
    // SAFETY: each object is initialized by its `init` before anything else is done with it, and
    // destroyed, unlocked, before it goes out of scope.
    unsafe {
        libc::pthread_mutexattr_init(attributes.as_mut_ptr());
        libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST);
        libc::pthread_mutex_init(mutex.as_mut_ptr(), attributes.as_ptr());
        libc::pthread_mutex_lock(mutex.as_mut_ptr());
        libc::pthread_mutex_unlock(mutex.as_mut_ptr());
        libc::pthread_mutex_destroy(mutex.as_mut_ptr());
        libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
    }
}

/// Stores one pointer of the robust list, for this thread's death and for libc to read.
///
/// The kernel looks only once the thread is dead, so the order of instructions is all that counts:
/// compiler fences, no processor fences.
///
/// # Safety
///
/// `at` is aligned and valid for a write of a pointer, and nothing but the robust list is kept
/// there.
#[inline(always)]
pub(crate) unsafe fn store_link(at: usize, value: usize) {
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the caller's promise.
    let link = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(at)) };
    link.store(value, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
}

/// The same, for threads that look at this one's list, too: who finds this link finds what was stored before.
///
/// # Safety
///
/// As for [`store_link`].
#[inline(always)]
pub(crate) unsafe fn publish_link(at: usize, value: usize) {
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the caller's promise.
    let link = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(at)) };
    link.store(value, Ordering::Release);
    compiler_fence(Ordering::SeqCst);
}

/// [`store_link`] for the entry of a lock: with glibc it is aligned, with musl only to four.
///
/// # Safety
///
/// As for [`store_link`], but `at` need not be aligned.
#[inline(always)]
pub(crate) unsafe fn store_entry(at: usize, value: usize) {
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the caller's promise. One instruction, where the processor can store unaligned words:
    // no death can cut it in two.
    unsafe { ptr::with_exposed_provenance_mut::<usize>(at).write_unaligned(value) };
    compiler_fence(Ordering::SeqCst);
}

/// Loads one pointer of the robust list from memory that is this thread's to write.
///
/// # Safety
///
/// `at` is aligned and valid for a read of a pointer.
#[inline(always)]
pub(crate) unsafe fn load_link(at: usize) -> usize {
    // SAFETY: the caller's promise.
    let link = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(at)) };
    link.load(Ordering::Relaxed)
}
