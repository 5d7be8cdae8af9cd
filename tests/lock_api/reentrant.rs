//! Why there is no `ReentrantMutex`: what `lock_api`'s makes of a death and of a fork in shared memory,
//! with numbers for threads that keep every promise of `GetThreadId`. And what is right: `RLock`.

use std::cell::Cell;
use std::mem::forget;
use std::num::NonZeroUsize;
use std::thread;

use lock_api::{GetThreadId, ReentrantMutex};
use nix::sys::signal::Signal;
use procsync::{Lock, RLock};

use crate::common::{Child, End, Gate, Mapped, Plain, fork};

type Reentrant<G> = ReentrantMutex<Lock, G, Cell<u32>>;

// SAFETY: words, a `Lock`, and a `Cell`, all valid as zeros, and a guard's place that may hold anything.
unsafe impl<G: Plain> Plain for Reentrant<G> {}

/// TIDs as a system gives them to whom it starts: unique among the living, and given away again.
struct Tid;

// SAFETY: it has no bytes.
unsafe impl Plain for Tid {}

thread_local!(static TID: Cell<usize> = const { Cell::new(0) });

// SAFETY: the tests let no two living threads have the same.
unsafe impl GetThreadId for Tid {
    const INIT: Self = Self;

    fn nonzero_thread_id(&self) -> NonZeroUsize {
        NonZeroUsize::new(TID.get()).expect("every thread was given one")
    }
}

/// Runs `body` in a child that the system gives this TID.
fn fork_as(tid: usize, body: impl FnOnce()) -> Child {
    fork(|| {
        TID.set(tid);
        body();
    })
}

#[test]
fn who_gets_the_tid_of_the_dead_is_let_in_while_somebody_else_may_be() {
    let mutex: Mapped<Reentrant<Tid>> = Mapped::zeroed();
    let holder = fork_as(7, || {
        forget(mutex.lock());
        let _ = nix::sys::signal::raise(Signal::SIGKILL);
    });
    assert_eq!(holder.join(), Ok(End::Killed(Signal::SIGKILL)));
    fork_as(7, || {
        assert!(mutex.is_owned_by_current_thread());
        let guard = mutex.try_lock();
        assert!(guard.is_some(), "has a guard");
        assert!(!mutex.is_locked(), "and the lock is free for others");
        forget(guard);
    })
    .succeed();
}

/// As `lock_api` recommends it and parking_lot does it: the address of a thread-local.
struct Address;

// SAFETY: it has no bytes.
unsafe impl Plain for Address {}

// SAFETY: the living threads of a process have a variable each.
unsafe impl GetThreadId for Address {
    const INIT: Self = Self;

    fn nonzero_thread_id(&self) -> NonZeroUsize {
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| std::ptr::from_ref(here).addr())
            .try_into()
            .expect("no variable is at 0")
    }
}

#[test]
fn forked_processes_have_equal_addresses_and_need_no_death() {
    let mutex: Mapped<Reentrant<Address>> = Mapped::zeroed();
    let _guard = mutex.lock();
    fork(|| {
        assert!(mutex.is_locked(), "by the parent");
        let guard = mutex.try_lock();
        assert!(guard.is_some(), "and yet the child is let in");
        forget(guard);
    })
    .succeed();
}

#[test]
fn an_rlock_is_not_deceived() {
    let lock: Mapped<RLock<Cell<u32>>> = Mapped::zeroed();
    let outer = lock.acquire().expect("free");
    fork(|| assert!(lock.try_acquire().is_err(), "the parent holds it")).succeed();
    drop(outer);
    let (held, end) = (Mapped::<Gate>::zeroed(), Gate::default());
    let holder = fork(|| {
        forget((lock.acquire(), lock.acquire()));
        held.open();
        end.wait();
    });
    held.wait();
    assert_eq!(lock.owner(), Some(holder.tid()));
    holder.kill();
    assert_eq!(lock.owner(), None, "the dead is not named any more");
    thread::scope(|scope| {
        scope.spawn(|| {
            let guard = lock.acquire().expect_err("poisoned").into_guard();
            let depth = guard.as_ref().map(|guard| guard.depth());
            assert_eq!(depth, Some(1), "its holds are gone with it");
        });
    });
}
