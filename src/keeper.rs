//! What becomes of the locks that an ending thread still holds.
//!
//! The guards of such locks leaked, and with them, perhaps, references to the data: another thread
//! may still be using them. So the locks stay locked while the process lives, as std's do. But the
//! kernel would mark them as abandoned when the thread is gone. So a *keeper* takes them over: a
//! thread that owns them and sleeps until the process ends; then they are poisoned, as with any
//! other death.

use core::ffi::c_void;
use core::ptr;

use crate::record;
use crate::regions;
use crate::robust::{self, Entry, OWNER, Thread, owner};
use crate::sync::{AtomicU32, Note, Ordering, kernel};

/// Runs at the end of every thread that used a lock.
pub(crate) extern "C" fn thread_ends(_: *mut c_void) {
    robust::with(|thread| {
        if !thread.is_known() {
            return;
        }
        if thread.newest().is_some() {
            let _moving = record::move_between();
            hand_over(thread);
        }
        thread.leave();
    });
}

/// What an ending thread lends its keeper.
struct Estate {
    settled: Note,
    thread: *const Thread,
}

fn hand_over(thread: &Thread) {
    let estate = Estate {
        settled: Note::new(0),
        thread,
    };
    let argument = ptr::from_ref(&estate).cast_mut().cast::<c_void>();
    if !kernel::spawn_detached(keep, argument) {
        give_up("no thread can be started");
    }
    kernel::wait_for_flag(&estate.settled);
}

/// Two wrongs are left: to free what somebody may still use, or to stop.
fn give_up(why: &str) -> ! {
    eprintln!("procsync: fatal: {why} to keep the locks that an ending thread leaked");
    std::process::abort();
}

/// The body of a keeper.
extern "C" fn keep(estate: *mut c_void) -> *mut c_void {
    robust::with(|heir| {
        // SAFETY: `hand_over` lends it until the flag is raised, and touches nothing meanwhile.
        let estate = unsafe { &*estate.cast::<Estate>() };
        // SAFETY: likewise.
        let thread = unsafe { &*estate.thread };
        if heir.prepare().is_err() {
            give_up("there is no memory");
        }
        if !heir.is_heard() {
            give_up("the system keeps no robust list for another thread");
        }
        while let Some(newest) = thread.newest() {
            inherit(heir, thread, newest);
        }
        kernel::raise_flag(&estate.settled);
    });
    kernel::sleep_for_ever()
}

/// Makes `heir` the owner of the newest lock of `thread`. Should the process die in the middle,
/// both pending slots name the lock, so it is marked, whoever's TID it has.
fn inherit(heir: &Thread, thread: &Thread, entry: Entry) {
    let word = thread.word_of(entry);
    if !regions::is_shared(word.addr()) {
        // It was moved out of shared memory, by a swap through an outer guard.
        thread.unlink_newest();
        return;
    }
    // SAFETY: a lock in shared memory that the thread holds: such memory stays mapped.
    let word = unsafe { &*word };
    let Some(room) = heir.make_room(entry) else {
        give_up("there is no room");
    };
    let _given = thread.arm(entry);
    let _taken = heir.arm(entry);
    thread.unlink_newest();
    heir.link(&room);
    change_owner(word, thread.tid(), heir.tid());
}

fn change_owner(word: &AtomicU32, from: u32, to: u32) {
    let mut seen = word.load(Ordering::Relaxed);
    while owner(seen) == from {
        // ORDERING: Relaxed: the data stays as it is; who waits only sees another owner.
        let change = word.compare_exchange(
            seen,
            to | (seen & !OWNER),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        match change {
            Ok(_) => return,
            Err(now) => seen = now,
        }
    }
}
