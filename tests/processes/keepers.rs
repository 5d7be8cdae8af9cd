//! Locks whose guards a thread forgot before it ended: a keeper has them.

use std::mem::forget;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::{hint, thread};

use procsync::{Lock, Shared};

use crate::common::fork;

fn anonymous() -> Shared<Lock<u32>> {
    Shared::anonymous(Lock::new(7)).unwrap()
}

fn is_mapped(address: usize) -> bool {
    let page = std::ptr::without_provenance_mut(address & !0xfff);
    let mut resident = 0;
    // SAFETY: asks about one page, there or not.
    unsafe { libc::mincore(page, 1, &raw mut resident) == 0 }
}

/// A thread that ends hands over what it forgot, to another that keeps it. Meanwhile the last `Shared` is dropped by
/// somebody who looks through the records of many threads, and may find the lock in neither of the two.
#[test]
fn a_mapping_stays_while_a_forgotten_guard_is_handed_over() {
    const THREADS: usize = 100;
    const ROUNDS: usize = 200;
    fork(|| {
        let everybody = &Barrier::new(THREADS + 1);
        thread::scope(|threads| {
            // The first record is the last that is looked at, and free again when the others have theirs.
            let (go, gone) = channel::<()>();
            let first = threads.spawn(move || {
                use_a_lock();
                gone.recv()
            });
            for _ in 0..THREADS {
                threads.spawn(|| {
                    use_a_lock();
                    everybody.wait();
                    everybody.wait();
                });
            }
            everybody.wait();
            drop(go);
            assert!(first.join().unwrap().is_err());
            for round in 0..ROUNDS {
                drop_while_it_is_handed_over(round);
            }
            everybody.wait();
        });
    })
    .succeed();
}

fn use_a_lock() {
    drop(anonymous().acquire());
}

fn drop_while_it_is_handed_over(round: usize) {
    let (lock, told) = (anonymous(), AtomicBool::new(false));
    let (address, theirs) = ((&raw const *lock).addr(), lock.clone());
    thread::scope(|threads| {
        threads.spawn(|| {
            forget(theirs.acquire());
            drop(theirs);
            told.store(true, Ordering::Release);
        });
        while !told.load(Ordering::Acquire) {
            thread::yield_now();
        }
        // At another moment in each round.
        (0..round * 50).for_each(|_| hint::spin_loop());
        drop(lock);
    });
    assert!(is_mapped(address), "in round {round}");
}
