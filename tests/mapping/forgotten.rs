//! Guards that were forgotten, and mappings that were dropped after that.

use procsync::{AcquireError, Lock, RLock, Shared};
use std::cell::Cell;
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

/// Where a lock lies now nobody knows it by a guard.
#[test]
fn a_lock_that_was_held_as_it_was_moved_in_is_free() {
    procsync::shareable! {
        struct House { door: RLock<u8>, rooms: [Lock<Lock<u32>>; 2], plan: Lock<Cell<[u16; 3]>> }
    }
    let rooms = [1, 2].map(|room| Lock::new(Lock::new(room)));
    let house = House {
        door: RLock::new(0),
        rooms,
        plan: Lock::new(Cell::new([7; 3])),
    };
    forget([house.door.acquire(), house.door.acquire()]);
    forget(house.rooms[0].acquire().unwrap().acquire());
    forget(house.rooms[1].acquire());
    let house = Shared::anonymous(house).unwrap();
    let elsewhere = || {
        assert_eq!(house.door.try_acquire().unwrap().depth(), 1);
        house.rooms.each_ref().map(|room| {
            let room = room.try_acquire().unwrap();
            *room.try_acquire().unwrap()
        })
    };
    let seen = std::thread::scope(|threads| threads.spawn(elsewhere).join().unwrap());
    assert_eq!(seen, [1, 2]);
    assert_eq!(house.plan.acquire().unwrap().get(), [7; 3]);
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
