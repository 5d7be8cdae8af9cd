//! Mutexes in memory that processes of one build share: deaths, forks.

use std::mem::forget;

use nix::sys::signal::{Signal, raise};
use procsync::lock_api::{Mutex, MutexGuard, Poison as _};

use crate::common::{End, Gate, Mapped, as_any_thread, fork};
use crate::scene::{is_free, lock_of, panic_after, until_asleep};

fn kill_me() -> ! {
    let _ = raise(Signal::SIGKILL);
    unreachable!("dead");
}

#[test]
fn one_at_a_time() {
    const PROCESSES: u32 = 3;
    const ROUNDS: u32 = 20_000;
    let count: Mapped<Mutex<u32>> = Mapped::zeroed();
    let add = || {
        for _ in 0..ROUNDS {
            let mut guard = count.lock();
            let value = *guard;
            std::hint::black_box(&mut guard);
            *guard = value + 1;
        }
    };
    let children: Vec<_> = (0..PROCESSES).map(|_| fork(add)).collect();
    children.into_iter().for_each(|child| child.succeed());
    assert_eq!(*count.lock(), PROCESSES * ROUNDS);
}

#[test]
fn the_next_one_gets_what_a_killed_process_held() {
    let pair: Mapped<Mutex<[u32; 2]>> = Mapped::zeroed();
    let child = fork(|| {
        let mut pair = pair.lock();
        pair[0] = 1;
        kill_me();
    });
    assert_eq!(child.join(), Ok(End::Killed(Signal::SIGKILL)));
    assert!(!pair.is_locked() && pair.is_poisoned());
    assert_eq!(*pair.lock(), [1, 0], "nobody is told");
    assert!(pair.is_poisoned(), "who asks is");
    assert_eq!(*pair.lock_or_repair(|pair| pair[1] = pair[0]), [1, 1]);
    assert!(!pair.is_poisoned());
}

#[test]
fn a_sleeper_is_woken_by_the_death() {
    let mutex: Mapped<Mutex<u32>> = Mapped::zeroed();
    let held: Mapped<Gate> = Mapped::zeroed();
    let holder = fork(|| {
        let _guard = mutex.lock();
        held.open();
        Gate::default().wait();
    });
    held.wait();
    let waiter = fork(|| {
        let guard = mutex.lock();
        assert!(MutexGuard::mutex(&guard).is_poisoned());
    });
    until_asleep(&mutex, 1);
    holder.kill();
    waiter.succeed();
}

#[test]
fn a_death_with_a_forgotten_guard_or_a_part_of_the_data_is_the_same() {
    let holds: [fn(&Mutex<u32>); 3] = [
        |mutex| forget(mutex.lock()),
        |mutex| forget(MutexGuard::map(mutex.lock(), |value| value)),
        |mutex| forget(mutex.try_lock_for(std::time::Duration::MAX)),
    ];
    for hold in holds {
        let mutex: Mapped<Mutex<u32>> = Mapped::zeroed();
        let child = fork(|| {
            hold(&mutex);
            assert!(mutex.is_locked());
            kill_me();
        });
        assert_eq!(child.join(), Ok(End::Killed(Signal::SIGKILL)));
        assert!(mutex.is_poisoned() && mutex.try_lock().is_some());
    }
}

#[test]
fn a_death_while_it_is_unlocked_is_nobodys_business() {
    let mutex: Mapped<Mutex<u32>> = Mapped::zeroed();
    let child = fork(|| {
        let mut guard = mutex.lock();
        MutexGuard::unlocked(&mut guard, || kill_me());
    });
    assert_eq!(child.join(), Ok(End::Killed(Signal::SIGKILL)));
    assert!(!mutex.is_poisoned() && mutex.try_lock().is_some());
}

#[test]
fn an_inherited_guard_does_nothing() {
    as_any_thread(|| {
        let mutex: Mapped<Mutex<u32>> = Mapped::zeroed();
        let mut guard = Some(mutex.lock());
        fork(|| {
            drop(guard.take());
            assert!(mutex.is_locked() && mutex.try_lock().is_none());
        })
        .succeed();
        assert!(lock_of(&mutex).is_owned_by_current_thread() && !is_free(&mutex));
        drop(guard);
        assert!(is_free(&mutex));
    });
}

#[test]
fn a_panic_in_a_child_does_not_poison_what_the_parent_holds() {
    let mutex: Mapped<Mutex<u32>> = Mapped::zeroed();
    let mut guard = Some(mutex.lock());
    fork(|| panic_after(|| guard.take())).succeed();
    assert!(!mutex.is_poisoned() && mutex.is_locked());
}
