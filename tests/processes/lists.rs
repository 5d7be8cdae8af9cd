//! Threads whose robust list is not as glibc makes it: like musl's, unknown to libc, or none.

use std::thread;

use procsync::Lock;

use crate::common::held::{hold, is_poisoned_and_free, is_sound_and_free, static_in_child};
use crate::common::{MUSLS_OFFSET, Mapped, fork, register_list, unregister_list, until};
use crate::{die_doing, kill_me};

#[test]
fn a_list_like_musls_is_as_good() {
    let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
    die_doing(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                register_list(MUSLS_OFFSET);
                locks.iter().for_each(hold);
                // SAFETY: held by this thread, whose guard was forgotten.
                unsafe { locks[1].force_release() };
                kill_me();
            });
        });
    });
    assert!(is_poisoned_and_free(&locks[0]));
    assert!(is_sound_and_free(&locks[1]));
    assert!(is_poisoned_and_free(&locks[2]));
}

#[test]
fn a_thread_that_ends_behind_libcs_back_is_dead() {
    for offset in [None, Some(MUSLS_OFFSET)] {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let child = fork(|| {
            let shared = static_in_child(&*lock);
            thread::spawn(move || {
                if let Some(offset) = offset {
                    register_list(offset);
                }
                hold(shared);
                // SAFETY: ends the thread; its stack and thread-locals stay.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
            });
            until(|| is_poisoned_and_free(&lock)).expect("the kernel tells");
        });
        child.succeed();
    }
}

/// A thread that has no list gets one.
#[test]
fn a_thread_without_a_list_is_recovered_too() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    die_doing(|| {
        unregister_list();
        hold(&lock);
    });
    assert!(is_poisoned_and_free(&lock));
}
