//! Taking permits and giving them back, of both kinds of semaphore.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use procsync::{BoundedSemaphore, Permit, ReleaseError, Semaphore, Shareable, shareable};

use crate::common::{Gate, fork, sleepers, until};
use crate::scene::{LONG, SHORT, lasting, shared, the_past, until_asleep, wherever};

/// What both kinds can do.
pub(crate) trait Counting: Shareable + Sync {
    fn with(permits: u32) -> Self;
    fn take(&self) -> Permit<'_>;
    fn try_take(&self) -> Option<Permit<'_>>;
    fn take_within(&self, timeout: Duration) -> Option<Permit<'_>>;
    fn take_until(&self, deadline: Instant) -> Option<Permit<'_>>;
    fn give(&self, n: u32) -> Result<(), ReleaseError>;
    fn free(&self) -> u32;

    /// One that can have so many permits, and has none.
    fn empty(permits: u32) -> Self
    where
        Self: Sized,
    {
        let semaphore = Self::with(permits);
        (0..permits).for_each(|_| semaphore.take().forget());
        semaphore
    }
}

macro_rules! counting {
    ($Semaphore:ident) => {
        impl Counting for $Semaphore {
            fn with(permits: u32) -> Self {
                Self::new(permits)
            }
            fn take(&self) -> Permit<'_> {
                self.acquire()
            }
            fn try_take(&self) -> Option<Permit<'_>> {
                self.try_acquire()
            }
            fn take_within(&self, timeout: Duration) -> Option<Permit<'_>> {
                self.acquire_timeout(timeout)
            }
            fn take_until(&self, deadline: Instant) -> Option<Permit<'_>> {
                self.acquire_until(deadline)
            }
            fn give(&self, n: u32) -> Result<(), ReleaseError> {
                self.release(n)
            }
            fn free(&self) -> u32 {
                self.available_permits()
            }
        }
    };
}
counting!(Semaphore);
counting!(BoundedSemaphore);

/// Makes a test of a function for all kinds, in private and in shared memory.
macro_rules! of_both_kinds {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            $crate::semaphore::of_both_kinds::$name::<procsync::Semaphore>();
            $crate::semaphore::of_both_kinds::$name::<procsync::BoundedSemaphore>();
        })+
    };
}

of_both_kinds! {
    permits_are_counted
    no_patience_is_one_try
    a_timeout_is_kept
    what_the_clock_cannot_express_is_for_ever
    a_release_lets_through_as_many
    releases_in_a_row_let_through_as_many
    sleepers_come_in_order
    a_permit_may_be_dropped_by_another_thread
    a_forgotten_permit_is_not_given_back
    an_inherited_permit_does_nothing
    hasty_takers_lose_no_permit
    processes_exclude_each_other
    processes_take_turns
}

mod of_both_kinds {
    use super::*;

    pub(super) fn permits_are_counted<S: Counting>() {
        wherever(
            || S::with(3),
            |semaphore| {
                let first = semaphore.take();
                let second = semaphore.try_take();
                let third = semaphore.take_within(LONG);
                assert!(second.is_some() && third.is_some());
                assert_eq!(semaphore.free(), 0);
                assert!(semaphore.try_take().is_none());
                drop(second);
                assert_eq!(semaphore.free(), 1);
                assert!(semaphore.take_until(Instant::now() + LONG).is_some());
                drop((first, third));
                assert_eq!(semaphore.free(), 3);
            },
        );
    }

    pub(super) fn no_patience_is_one_try<S: Counting>() {
        wherever(
            || S::empty(1),
            |semaphore| {
                lasting(Duration::ZERO, || {
                    assert!(semaphore.try_take().is_none());
                    assert!(semaphore.take_within(Duration::ZERO).is_none());
                    assert!(semaphore.take_until(the_past()).is_none());
                });
                semaphore.give(1).expect("there is room");
                assert!(semaphore.take_within(Duration::ZERO).is_some());
                assert!(semaphore.take_until(the_past()).is_some());
            },
        );
    }

    pub(super) fn a_timeout_is_kept<S: Counting>() {
        wherever(
            || S::empty(1),
            |semaphore| {
                assert!(lasting(SHORT, || semaphore.take_within(SHORT)).is_none());
                let deadline = Instant::now() + SHORT;
                assert!(semaphore.take_until(deadline).is_none());
                assert!(Instant::now() >= deadline);
                assert_eq!((semaphore.free(), sleepers(semaphore)), (0, 0));
            },
        );
    }

    pub(super) fn what_the_clock_cannot_express_is_for_ever<S: Counting>() {
        wherever(
            || S::empty(1),
            |semaphore| {
                thread::scope(|scope| {
                    let waiter = scope.spawn(|| semaphore.take_within(Duration::MAX).is_some());
                    until_asleep(semaphore, 1);
                    semaphore.give(1).expect("there is room");
                    assert!(waiter.join().expect("no panic"));
                });
            },
        );
    }

    pub(super) fn a_release_lets_through_as_many<S: Counting>() {
        wherever(
            || S::empty(5),
            |semaphore| {
                let through = AtomicU32::new(0);
                thread::scope(|scope| {
                    for _ in 0..5 {
                        scope.spawn(|| {
                            semaphore.take().forget();
                            through.fetch_add(1, Ordering::SeqCst);
                        });
                    }
                    until_asleep(semaphore, 5);
                    semaphore.give(3).expect("there is room");
                    let three = || through.load(Ordering::SeqCst) == 3;
                    until(three).expect("three get through");
                    until_asleep(semaphore, 2);
                    assert!(three() && semaphore.free() == 0);
                    semaphore.give(2).expect("there is room");
                });
                assert_eq!(through.load(Ordering::SeqCst), 5);
            },
        );
    }

    /// The second finds that nobody waits: the first has woken one, who has to wake the other.
    pub(super) fn releases_in_a_row_let_through_as_many<S: Counting>() {
        wherever(
            || S::empty(2),
            |semaphore| {
                for _ in 0..100 {
                    thread::scope(|scope| {
                        for _ in 0..2 {
                            scope.spawn(|| {
                                let permit = semaphore.take_within(LONG);
                                permit.expect("a permit for each").forget();
                            });
                        }
                        until_asleep(semaphore, 2);
                        semaphore.give(1).expect("there is room");
                        semaphore.give(1).expect("there is room");
                        until(|| semaphore.free() == 0).expect("both take theirs");
                    });
                }
            },
        );
    }

    pub(super) fn sleepers_come_in_order<S: Counting>() {
        wherever(
            || S::empty(4),
            |semaphore| {
                let latest = AtomicU32::new(0);
                thread::scope(|scope| {
                    let latest = &latest;
                    for place in 1..=4 {
                        scope.spawn(move || {
                            semaphore.take().forget();
                            latest.store(place, Ordering::SeqCst);
                        });
                        let settled = || sleepers(semaphore) == place as usize;
                        until(settled).expect("they fall asleep");
                    }
                    for place in 1..=4 {
                        semaphore.give(1).expect("there is room");
                        let came = || latest.load(Ordering::SeqCst) == place;
                        until(came).expect("the one that slept longest");
                    }
                });
            },
        );
    }

    pub(super) fn a_permit_may_be_dropped_by_another_thread<S: Counting>() {
        wherever(
            || S::with(1),
            |semaphore| {
                let permit = semaphore.take();
                thread::scope(|scope| {
                    let waiter = scope.spawn(|| semaphore.take_within(LONG).is_some());
                    until_asleep(semaphore, 1);
                    scope.spawn(move || drop(permit));
                    assert!(waiter.join().expect("no panic"));
                });
                assert_eq!(semaphore.free(), 1);
            },
        );
    }

    pub(super) fn a_forgotten_permit_is_not_given_back<S: Counting>() {
        wherever(
            || S::with(2),
            |semaphore| {
                semaphore.take().forget();
                assert_eq!(semaphore.free(), 1);
                semaphore.give(1).expect("there is room");
                assert_eq!(semaphore.free(), 2);
            },
        );
    }

    pub(super) fn an_inherited_permit_does_nothing<S: Counting>() {
        let semaphore = shared(S::with(2));
        let mut permit = Some(semaphore.take());
        fork(|| {
            drop(permit.take());
            assert_eq!(semaphore.free(), 1);
            let own = semaphore.take();
            assert_eq!(semaphore.free(), 0);
            drop(own);
            assert_eq!(semaphore.free(), 1);
        })
        .succeed();
        assert_eq!(semaphore.free(), 1);
        drop(permit);
        assert_eq!(semaphore.free(), 2);
    }

    /// Those who give up and those who do not, while permits come one by one.
    pub(super) fn hasty_takers_lose_no_permit<S: Counting>() {
        const PERMITS: u32 = 2_000;
        wherever(
            || S::empty(PERMITS),
            |semaphore| {
                let taken = AtomicU32::new(0);
                let all_are_taken = || taken.load(Ordering::SeqCst) == PERMITS;
                thread::scope(|scope| {
                    for patience in [0, 20, 20_000] {
                        let patience = Duration::from_micros(patience);
                        let (taken, all_are_taken) = (&taken, &all_are_taken);
                        scope.spawn(move || {
                            while !all_are_taken() {
                                if let Some(permit) = semaphore.take_within(patience) {
                                    permit.forget();
                                    taken.fetch_add(1, Ordering::SeqCst);
                                }
                            }
                        });
                    }
                    (0..PERMITS).for_each(|_| semaphore.give(1).expect("there is room"));
                    until(all_are_taken).expect("each permit is somebody's");
                });
                assert_eq!(semaphore.free(), 0);
            },
        );
    }

    pub(super) fn processes_exclude_each_other<S: Counting>() {
        const ROUNDS: u32 = 2_000;
        let semaphore = shared(S::with(1));
        let counter = shared(AtomicU32::new(0));
        let children = [(); 3].map(|()| {
            fork(|| {
                for _ in 0..ROUNDS {
                    let _permit = semaphore.take();
                    let before = counter.load(Ordering::Relaxed);
                    std::hint::spin_loop();
                    counter.store(before + 1, Ordering::Relaxed);
                }
            })
        });
        for child in children {
            assert_eq!(child.join_within(LONG), Ok(crate::common::End::Exited(0)));
        }
        assert_eq!(counter.load(Ordering::Relaxed), 3 * ROUNDS);
        assert_eq!(semaphore.free(), 1);
    }

    pub(super) fn processes_take_turns<S: Counting>() {
        const ROUNDS: u32 = 2_000;
        let (ping, pong) = (shared(S::empty(1)), shared(S::empty(1)));
        let child = fork(|| {
            for _ in 0..ROUNDS {
                ping.take().forget();
                pong.give(1).expect("there is room");
            }
        });
        for _ in 0..ROUNDS {
            ping.give(1).expect("there is room");
            let answer = pong.take_within(LONG);
            answer.expect("the other one answers").forget();
        }
        child.succeed();
    }
}

shareable! {
    /// For the doors of a room.
    pub struct Room { free: Semaphore, came: AtomicU32 }
}

/// What was done before a release is visible to who gets the permit.
#[test]
fn a_release_publishes_what_was_done() {
    let room = shared(Room {
        free: Semaphore::new(0),
        came: AtomicU32::new(0),
    });
    let gone: Gate = Gate::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=1_000 {
                room.free.acquire().forget();
                assert!(room.came.load(Ordering::Relaxed) >= round);
            }
            gone.open();
        });
        for _ in 0..1_000 {
            room.came.fetch_add(1, Ordering::Relaxed);
            room.free.release(1).expect("there is room");
        }
        gone.wait();
    });
}
