//! Guards that were forgotten, and mappings that were dropped after that.

use procsync::{AcquireError, Lock, Shared};
use std::mem::forget;

/// Which file it is. (Not where: another test may map something there as soon as it is free.)
fn file_of(lock: &Shared<Lock<u32>>) -> u64 {
    rustix::fs::fstat(lock).unwrap().st_ino
}

fn is_mapped(file: u64) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let file = file.to_string();
    maps.lines()
        .any(|line| line.split_whitespace().nth(4) == Some(&file))
}

fn anonymous() -> Shared<Lock<u32>> {
    Shared::anonymous(Lock::new(7)).unwrap()
}

#[test]
fn a_mapping_with_nothing_held_in_it_is_unmapped() {
    let lock = anonymous();
    drop(lock.acquire());
    let file = file_of(&lock);
    assert!(is_mapped(file));
    drop(lock);
    assert!(!is_mapped(file));
}

#[test]
fn a_mapping_with_a_forgotten_guard_stays() {
    let (lock, other) = (anonymous(), anonymous());
    forget(lock.acquire());
    let file = file_of(&lock);
    drop(lock);
    assert!(is_mapped(file));
    // The list is whole: it can be added to and taken from, above what was forgotten.
    for _ in 0..3 {
        *other.acquire().unwrap() += 1;
    }
    assert_eq!(*other.acquire().unwrap(), 10);
}

#[test]
fn what_another_thread_forgot_counts_too_also_under_newer_locks() {
    let (lock, other) = (anonymous(), anonymous());
    let file = file_of(&lock);
    let barrier = std::sync::Barrier::new(2);
    let stays = std::thread::scope(|scope| {
        let theirs = lock.clone();
        let (barrier, other) = (&barrier, &other);
        scope.spawn(move || {
            forget(theirs.acquire());
            drop(theirs);
            let newer = other.acquire().unwrap();
            barrier.wait(); // Forgotten, with a newer lock held.
            barrier.wait(); // The mapping was dropped.
            drop(newer);
        });
        barrier.wait();
        drop(lock);
        let stays = is_mapped(file);
        barrier.wait();
        stays
    });
    assert!(stays);
}

#[test]
fn a_thread_that_ended_holds_on_by_its_keeper() {
    let lock = anonymous();
    let file = file_of(&lock);
    let theirs = lock.clone();
    let tid = std::thread::spawn(move || {
        forget(theirs.acquire());
        theirs.owner().unwrap()
    });
    let tid = tid.join().unwrap();
    assert!(matches!(lock.try_acquire(), Err(AcquireError::WouldBlock)));
    assert_ne!(lock.owner(), Some(tid), "the thread is gone");
    drop(lock);
    assert!(is_mapped(file));
}

#[test]
fn a_released_lock_does_not_keep_its_mapping() {
    let (outer, inner) = (anonymous(), anonymous());
    let first = outer.acquire().unwrap();
    let second = inner.acquire().unwrap();
    drop(first); // Out of order.
    drop(second);
    let files = [&outer, &inner].map(file_of);
    drop((outer, inner));
    assert_eq!(files.map(is_mapped), [false; 2]);
}
