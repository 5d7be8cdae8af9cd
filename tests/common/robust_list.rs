//! Robust lists that are not glibc's.

/// A list head of one's own, and the way back before it, as libc's threads have.
#[repr(C)]
struct OwnHead {
    prev: usize,
    list: usize,
    futex_offset: isize,
    pending: usize,
}

/// Makes the calling thread's list what another libc would.
pub fn register_list(futex_offset: isize) {
    let head = Box::leak(Box::new(OwnHead {
        prev: 0,
        list: 0,
        futex_offset,
        pending: 0,
    }));
    let list = (&raw mut head.list).expose_provenance();
    head.list = list;
    head.prev = list;
    set_robust_list(list);
}

fn set_robust_list(list: usize) {
    // SAFETY: null, or a head that is never freed.
    let result = unsafe { libc::syscall(libc::SYS_set_robust_list, list, 3 * size_of::<usize>()) };
    assert_eq!(result, 0);
}

/// musl's: its word lies four bytes further from the links.
pub const MUSLS_OFFSET: isize = -28;

/// Leaves the calling thread without a list.
pub fn unregister_list() {
    set_robust_list(0);
}
