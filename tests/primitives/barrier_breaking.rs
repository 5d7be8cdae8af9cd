//! Meetings that do not take place.

use std::thread;
use std::time::{Duration, Instant};

use procsync::{Barrier, BarrierError, BarrierWait};

use crate::barrier::of_four;
use crate::common::{Gate, fork, until};
use crate::scene::{
    LONG, SHORT, lasting, panic_quietly, panics, shared, the_past, until_asleep, wherever,
};

type Meeting = Result<BarrierWait, BarrierError>;

/// Three of four parties wait; then `event` happens. What the three got.
fn three_wait_and_then(barrier: &Barrier, event: impl FnOnce()) -> [Meeting; 3] {
    thread::scope(|scope| {
        let parties = [(); 3].map(|()| scope.spawn(|| barrier.wait()));
        until_asleep(barrier, 3);
        event();
        parties.map(|party| party.join().expect("no panic"))
    })
}

fn all_are_broken(meetings: [Meeting; 3]) -> bool {
    meetings == [Err(BarrierError::Broken); 3]
}

/// All four meet, many times.
fn meetings_take_place(barrier: &Barrier) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| assert!(barrier.wait().is_ok())));
        }
    });
    assert!(barrier.waiting() == 0 && !barrier.is_broken());
}

fn stays_broken(barrier: &Barrier) {
    assert!(barrier.is_broken() && barrier.waiting() == 0);
    lasting(Duration::ZERO, || {
        assert_eq!(barrier.wait(), Err(BarrierError::Broken));
        assert_eq!(barrier.wait_timeout(LONG), Err(BarrierError::Broken));
        let never = || unreachable!("nobody meets");
        assert_eq!(barrier.wait_with_action(never), Err(BarrierError::Broken));
        let zero = barrier.wait_timeout(Duration::ZERO);
        assert_eq!(zero, Err(BarrierError::Broken));
    });
}

#[test]
fn an_abort_breaks_it_until_a_reset() {
    wherever(of_four, |barrier| {
        for _ in 0..20 {
            assert!(all_are_broken(
                three_wait_and_then(barrier, || barrier.abort())
            ));
            stays_broken(barrier);
            barrier.abort();
            stays_broken(barrier);
            barrier.reset();
            assert!(!barrier.is_broken());
        }
        meetings_take_place(barrier);
    });
}

#[test]
fn an_abort_with_nobody_there_breaks_it_too() {
    wherever(of_four, |barrier| {
        barrier.abort();
        stays_broken(barrier);
        barrier.reset();
        meetings_take_place(barrier);
    });
}

#[test]
fn a_reset_ends_the_meeting_and_the_next_takes_place() {
    wherever(of_four, |barrier| {
        for _ in 0..20 {
            assert!(all_are_broken(
                three_wait_and_then(barrier, || barrier.reset())
            ));
            assert!(!barrier.is_broken() && barrier.waiting() == 0);
        }
        barrier.reset();
        meetings_take_place(barrier);
    });
}

#[test]
fn abort_and_reset_end_the_meeting_though_nobody_has_looked() {
    wherever(of_four, |barrier| {
        for _ in 0..20 {
            let at_once = || {
                barrier.abort();
                barrier.reset();
            };
            assert!(all_are_broken(three_wait_and_then(barrier, at_once)));
            meetings_take_place(barrier);
        }
    });
}

#[test]
fn one_that_times_out_breaks_it_for_the_others() {
    wherever(of_four, |barrier| {
        thread::scope(|scope| {
            let others = [(); 2].map(|()| scope.spawn(|| barrier.wait()));
            until_asleep(barrier, 2);
            let hasty = lasting(SHORT, || barrier.wait_timeout(SHORT));
            assert_eq!(hasty, Err(BarrierError::TimedOut));
            for other in others {
                let other = other.join().expect("no panic");
                assert_eq!(other, Err(BarrierError::Broken));
            }
        });
        stays_broken(barrier);
        barrier.reset();
        let deadline = Instant::now() + SHORT;
        assert_eq!(barrier.wait_until(deadline), Err(BarrierError::TimedOut));
        assert!(Instant::now() >= deadline);
        stays_broken(barrier);
    });
}

#[test]
fn no_patience_breaks_it_at_once() {
    wherever(of_four, |barrier| {
        let zero = || barrier.wait_timeout(Duration::ZERO);
        assert_eq!(zero(), Err(BarrierError::TimedOut));
        stays_broken(barrier);
        barrier.reset();
        assert_eq!(barrier.wait_until(the_past()), Err(BarrierError::TimedOut));
        stays_broken(barrier);
        barrier.reset();
        let action = || unreachable!("nobody else is there");
        let acting = barrier.wait_with_action_until(the_past(), action);
        assert_eq!(acting, Err(BarrierError::TimedOut));
        stays_broken(barrier);
        barrier.reset();
        let met = three_wait_and_then(barrier, || assert!(zero().is_ok()));
        assert!(met.iter().all(Result::is_ok));
    });
}

#[test]
fn an_action_that_panics_breaks_it() {
    wherever(of_four, |barrier| {
        let meetings = three_wait_and_then(barrier, || {
            assert!(panics(|| barrier.wait_with_action(|| panic_quietly())));
        });
        assert!(all_are_broken(meetings));
        stays_broken(barrier);
        barrier.reset();
        meetings_take_place(barrier);
    });
}

/// One that does not wait for the action to end breaks it; the action was run.
#[test]
fn it_may_break_while_the_action_runs() {
    wherever(
        || Barrier::new(2),
        |barrier| {
            let (acting, go_on) = (Gate::default(), Gate::default());
            thread::scope(|scope| {
                let hasty = scope.spawn(|| barrier.wait_timeout(4 * SHORT));
                until_asleep(barrier, 1);
                let leader = scope.spawn(|| {
                    barrier.wait_with_action(|| {
                        acting.open();
                        go_on.wait();
                    })
                });
                let hasty = hasty.join().expect("no panic");
                go_on.open();
                let leader = leader.join().expect("no panic");
                assert_eq!(hasty, Err(BarrierError::TimedOut));
                assert_eq!(leader, Err(BarrierError::Broken));
            });
            stays_broken(barrier);
        },
    );
}

#[test]
fn an_action_may_end_it() {
    wherever(of_four, |barrier| {
        for end in [Barrier::abort, Barrier::reset] {
            let meetings = three_wait_and_then(barrier, || {
                let leader = barrier.wait_with_action(|| end(barrier));
                assert_eq!(leader, Err(BarrierError::Broken));
            });
            assert!(all_are_broken(meetings));
            barrier.reset();
        }
        meetings_take_place(barrier);
    });
}

/// Parties come and give up at random, while somebody resets: nobody waits for ever, and afterwards
/// meetings take place.
#[test]
fn a_quarrel_ends() {
    wherever(of_four, |barrier| {
        thread::scope(|scope| {
            let parties = [0, 1, 2, 3].map(|_| {
                scope.spawn(|| {
                    let patience = || Duration::from_micros(fastrand::u64(..500));
                    (0..1_000)
                        .filter(|_| barrier.wait_timeout(patience()).is_ok())
                        .count()
                })
            });
            let all_are_done = || parties.iter().all(|party| party.is_finished());
            let started = Instant::now();
            while !all_are_done() {
                barrier.reset();
                assert!(started.elapsed() < LONG);
            }
        });
        barrier.reset();
        meetings_take_place(barrier);
    });
}

#[test]
fn a_party_that_dies_breaks_it() {
    let barrier = shared(of_four());
    let parties = [(); 3].map(|()| fork(|| assert_eq!(barrier.wait(), Err(BarrierError::Broken))));
    until_asleep(&*barrier, 3);
    let [first, second, third] = parties;
    second.kill();
    first.succeed();
    third.succeed();
    assert!(barrier.is_broken());
    barrier.reset();
    meetings_take_place(&barrier);
}

#[test]
fn a_party_that_dies_alone_breaks_it_for_those_who_come() {
    let barrier = shared(of_four());
    let alone = fork(|| {
        let _ = barrier.wait();
    });
    until_asleep(&*barrier, 1);
    alone.kill();
    until(|| barrier.is_broken()).expect("it is noticed");
    stays_broken(&barrier);
    barrier.reset();
    meetings_take_place(&barrier);
}
