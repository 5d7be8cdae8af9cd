//! Meetings that take place.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use procsync::{Barrier, BarrierError, shareable};

use crate::common::{End, Gate, fork, sleepers, until};
use crate::scene::{LONG, panics, shared, the_past, until_asleep, wherever};

/// As many parties as the tests have.
const PARTIES: usize = 4;

pub(crate) fn of_four() -> Barrier {
    Barrier::new(4)
}

#[test]
fn a_barrier_counts_its_parties() {
    wherever(of_four, |barrier| {
        assert_eq!((barrier.parties(), barrier.waiting()), (4, 0));
        thread::scope(|scope| {
            for asleep in 1..=3 {
                scope.spawn(|| barrier.wait().expect("all come"));
                until_asleep(barrier, asleep);
                assert_eq!(barrier.waiting() as usize, asleep);
                let printed = format!("{barrier:?}");
                assert!(printed.contains(&format!("waiting: {asleep}")), "{printed}");
            }
            let last = barrier.wait().expect("all come");
            assert_eq!((last.index(), last.is_leader()), (3, true));
            assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
        });
    });
}

#[test]
fn the_index_is_the_order_of_arrival() {
    wherever(of_four, |barrier| {
        thread::scope(|scope| {
            let parties = [0, 1, 2].map(|index| {
                let party = scope.spawn(|| barrier.wait().expect("all come"));
                until_asleep(barrier, index + 1);
                party
            });
            barrier.wait().expect("all come");
            for (index, party) in parties.into_iter().enumerate() {
                let meeting = party.join().expect("no panic");
                assert_eq!(
                    (meeting.index() as usize, meeting.is_leader()),
                    (index, false)
                );
            }
        });
    });
}

shareable! {
    /// How far each party has come, and who was what at each meeting.
    struct Rounds {
        barrier: Barrier,
        done: [AtomicU32; 4],
        indices: AtomicU32,
        leaders: AtomicU32,
        actions: AtomicU32,
    }
}

impl Rounds {
    fn new() -> Self {
        Self {
            barrier: of_four(),
            done: [const { AtomicU32::new(0) }; 4],
            indices: AtomicU32::new(0),
            leaders: AtomicU32::new(0),
            actions: AtomicU32::new(0),
        }
    }

    /// Goes from meeting to meeting, and finds that all others have come as far.
    fn walk(&self, me: usize, rounds: u32) {
        for round in 1..=rounds {
            self.done[me].store(round, Ordering::Relaxed);
            let meeting = self.barrier.wait().expect("all come");
            self.indices
                .fetch_add(1 << (8 * meeting.index()), Ordering::Relaxed);
            self.leaders
                .fetch_add(u32::from(meeting.is_leader()), Ordering::Relaxed);
            for done in &self.done {
                let done = done.load(Ordering::Relaxed);
                assert!(done == round || done == round + 1, "{done} in {round}");
            }
            self.check_indices(round);
        }
    }

    /// Meets again, and then each index was given out as often as there were meetings.
    fn check_indices(&self, round: u32) {
        let count = || {
            self.actions.fetch_add(1, Ordering::Relaxed);
        };
        self.barrier.wait_with_action(count).expect("all come");
        assert_eq!(self.actions.load(Ordering::Relaxed), round);
        assert_eq!(self.leaders.load(Ordering::Relaxed), round);
        let each = round % 256;
        let once_more = each * 0x0101_0101;
        let indices = self.indices.load(Ordering::Relaxed);
        assert!(each == 0 || indices >= once_more, "{indices:x} in {round}");
        self.barrier.wait().expect("all come");
    }
}

#[test]
fn threads_meet_in_lockstep() {
    wherever(Rounds::new, |rounds| {
        thread::scope(|scope| {
            for me in 0..PARTIES {
                scope.spawn(move || rounds.walk(me, 250));
            }
        });
    });
}

#[test]
fn processes_meet_in_lockstep() {
    let rounds = shared(Rounds::new());
    let children = [0, 1, 2, 3].map(|me| fork(|| rounds.walk(me, 250)));
    for child in children {
        assert_eq!(child.join_within(LONG), Ok(End::Exited(0)));
    }
}

#[test]
fn one_party_meets_itself() {
    wherever(
        || Barrier::new(1),
        |barrier| {
            let mut actions = 0;
            for _ in 0..100 {
                let meetings = [
                    barrier.wait(),
                    barrier.wait_timeout(Duration::ZERO),
                    barrier.wait_until(the_past()),
                    barrier.wait_with_action(|| actions += 1),
                    barrier.wait_with_action_until(the_past(), || ()),
                ];
                for meeting in meetings {
                    let meeting = meeting.expect("all are there");
                    assert!(meeting.index() == 0 && meeting.is_leader());
                }
            }
            assert_eq!((actions, barrier.waiting()), (100, 0));
        },
    );
}

#[test]
fn the_last_needs_no_patience() {
    wherever(of_four, |barrier| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| barrier.wait_timeout(Duration::MAX).expect("all come"));
            }
            until_asleep(barrier, 3);
            let last = barrier.wait_timeout(Duration::ZERO);
            assert!(last.expect("all are there").is_leader());
        });
    });
}

#[test]
fn the_action_runs_once_before_anybody_leaves() {
    wherever(of_four, |barrier| {
        let actions = AtomicU32::new(0);
        let in_action = Gate::default();
        thread::scope(|scope| {
            let parties = [(); PARTIES].map(|()| {
                scope.spawn(|| {
                    let action = || {
                        in_action.open();
                        until(|| sleepers(barrier) == 3).expect("nobody leaves");
                        actions.fetch_add(1, Ordering::SeqCst);
                    };
                    let meeting = barrier.wait_with_action(action).expect("all come");
                    assert_eq!(actions.load(Ordering::SeqCst), 1);
                    meeting
                })
            });
            let meetings = parties.map(|party| party.join().expect("no panic"));
            let leaders = meetings.iter().filter(|meeting| meeting.is_leader());
            assert_eq!(leaders.count(), 1);
        });
        assert!(in_action.is_open());
    });
}

/// Those who come while the action runs are of the next meeting.
#[test]
fn who_comes_during_the_action_waits_for_the_next_meeting() {
    wherever(
        || Barrier::new(2),
        |barrier| {
            let (acting, go_on) = (Gate::default(), Gate::default());
            thread::scope(|scope| {
                let first = scope.spawn(|| barrier.wait());
                until_asleep(barrier, 1);
                let leader = scope.spawn(|| {
                    barrier.wait_with_action(|| {
                        acting.open();
                        go_on.wait();
                    })
                });
                acting.wait();
                let early = scope.spawn(|| barrier.wait());
                until_asleep(barrier, 2);
                go_on.open();
                assert!(
                    leader
                        .join()
                        .expect("no panic")
                        .is_ok_and(|it| it.is_leader())
                );
                assert!(
                    first
                        .join()
                        .expect("no panic")
                        .is_ok_and(|it| it.index() == 0)
                );
                until(|| barrier.waiting() == 1).expect("it has come");
                barrier.wait().expect("two are there");
                assert!(early.join().expect("no panic").is_ok());
            });
        },
    );
}

/// What was released stays released, though the barrier ends at once.
#[test]
fn who_is_released_gets_ok_whatever_follows() {
    let endings: [fn(&Barrier); 3] = [Barrier::reset, Barrier::abort, |barrier| {
        barrier.abort();
        barrier.reset();
        barrier.abort();
        barrier.reset();
    }];
    wherever(of_four, |barrier| {
        for round in 0..300 {
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| assert!(barrier.wait().is_ok()));
                }
                // Asleep, or not yet.
                until(|| barrier.waiting() == 3).expect("they come");
                assert!(barrier.wait().is_ok());
                endings[round % 3](barrier);
            });
            assert_eq!(barrier.is_broken(), round % 3 == 1);
            barrier.reset();
        }
    });
}

/// Stopped, it cannot look before nine more meetings have come to nothing.
#[test]
fn who_is_stopped_learns_that_it_was_released() {
    let barrier = shared(Barrier::new(2));
    let party = fork(|| assert!(barrier.wait().is_ok()));
    until_asleep(&*barrier, 1);
    kill(party.pid(), Signal::SIGSTOP).expect("it lives");
    until_asleep(&*barrier, 0);
    assert!(barrier.wait().is_ok());
    for _ in 0..9 {
        let alone = barrier.wait_timeout(Duration::ZERO);
        assert_eq!(alone, Err(BarrierError::TimedOut));
        barrier.reset();
    }
    kill(party.pid(), Signal::SIGCONT).expect("it lives");
    party.succeed();
}

#[test]
fn nobody_cannot_meet() {
    assert!(panics(|| Barrier::new(0)));
    let nobodys: crate::common::Mapped<[std::sync::atomic::AtomicU64; 7]> =
        crate::common::Mapped::zeroed();
    // SAFETY: all-zero memory is a barrier, and larger than this is none.
    let barrier = unsafe { &*(&raw const *nobodys).cast::<Barrier>() };
    assert!(barrier.is_broken() && barrier.parties() == 0);
    assert_eq!(barrier.wait(), Err(BarrierError::Broken));
    assert_eq!(barrier.wait_timeout(LONG), Err(BarrierError::Broken));
    barrier.reset();
    assert_eq!(barrier.wait_with_action(|| ()), Err(BarrierError::Broken));
    barrier.abort();
    assert_eq!(barrier.waiting(), 0);
}

/// Two meetings, of two of four parties each: while the action of the first runs, the last of the others comes
/// to lead the second.
#[test]
fn four_meet_two_by_two_with_actions() {
    const ROUNDS: u32 = 2_000;
    let take_a_while = || {
        let end = Instant::now() + Duration::from_micros(50);
        while Instant::now() < end {}
    };
    wherever(
        || Barrier::new(2),
        |barrier| {
            let start = std::sync::Barrier::new(4);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..ROUNDS {
                            start.wait();
                            let deadline = Instant::now() + LONG;
                            let met = barrier.wait_with_action_until(deadline, take_a_while);
                            met.expect("two and two, and somebody wakes the second leader");
                        }
                    });
                }
            });
        },
    );
}
