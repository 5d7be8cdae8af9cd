//! `Timer`: fired or cancelled, never both, never neither; and abandoned if nobody is left to run it.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use loom::thread::spawn;
use loom_tests::{CALM, DEATHS, NAPS, explore, others_sleep};
use procsync::model::spawn_mortal;
use procsync::{Timer, TimerOutcome, TimerState};

const SOON: Duration = Duration::from_secs(1);

#[test]
fn it_fires_or_is_cancelled() {
    explore(NAPS, || {
        let timer = Arc::new(Timer::new());
        let calls = Arc::new(AtomicU32::new(0));
        let (theirs, counted) = (timer.clone(), calls.clone());
        let runner = spawn(move || {
            theirs.run(SOON, || {
                counted.fetch_add(1, Ordering::SeqCst);
            })
        });
        let cancelled = timer.cancel();
        let outcome = runner.join().unwrap().unwrap();
        let fired = outcome == TimerOutcome::Fired;
        assert_ne!(fired, cancelled);
        assert_eq!(calls.load(Ordering::SeqCst), u32::from(fired));
        assert!(timer.state().is_finished());
    });
}

#[test]
fn those_who_wait_see_the_end() {
    explore(NAPS.within(3), || {
        let timer = Arc::new(Timer::new());
        let theirs = timer.clone();
        let waiter = spawn(move || theirs.wait());
        let outcome = timer.run(SOON, || ()).unwrap();
        assert_eq!(outcome, TimerOutcome::Fired);
        assert_eq!(waiter.join().unwrap(), TimerState::Fired);
    });
}

#[test]
fn a_dead_runner_abandons_it() {
    explore(DEATHS.within(2), || {
        let timer = Arc::new(Timer::new());
        let rang = Arc::new(AtomicU32::new(0));
        let (theirs, victims, rings) = (timer.clone(), timer.clone(), rang.clone());
        let waiter = spawn(move || theirs.wait());
        // Not a preemption: here the waiter falls asleep, or it comes later.
        others_sleep(1);
        let victim = spawn_mortal(move || {
            victims.run(SOON, || {
                rings.store(1, Ordering::SeqCst);
                procsync::model::step();
            })
        });
        let died = victim.join().is_none();
        // To look at the timer would be to tell those who wait; once it rang, the kernel must.
        if rang.load(Ordering::SeqCst) == 0 && timer.state() == TimerState::Idle {
            timer.run(SOON, || ()).unwrap();
        }
        let end = waiter.join().unwrap();
        assert!(end == TimerState::Fired || died && end == TimerState::Abandoned);
    });
}

/// What the dead have left can be used again.
#[test]
fn a_timer_of_the_dead_can_be_armed_again() {
    explore(DEATHS, || {
        let timer = Arc::new(Timer::new());
        let victims = timer.clone();
        let victim = spawn_mortal(move || victims.run(Duration::ZERO, procsync::model::step));
        timer.cancel();
        victim.join();
        timer.reset();
        assert_eq!(timer.run(SOON, || ()).unwrap(), TimerOutcome::Fired);
    });
}

#[test]
fn a_dead_canceller_has_cancelled_or_not() {
    explore(DEATHS, || {
        let timer = Arc::new(Timer::new());
        let victims = timer.clone();
        let victim = spawn_mortal(move || victims.cancel());
        let fired = timer.run(SOON, || ()).unwrap() == TimerOutcome::Fired;
        assert_ne!(victim.join(), Some(fired));
        let end = if fired {
            TimerState::Fired
        } else {
            TimerState::Cancelled
        };
        assert_eq!(timer.state(), end);
    });
}

/// One resets it, and runs it again, as the last runner is about to let go.
#[test]
fn it_runs_again_at_once() {
    explore(NAPS, || {
        let timer = Arc::new(Timer::new());
        let theirs = timer.clone();
        let first = spawn(move || theirs.run(SOON, || ()).unwrap());
        assert_eq!(timer.wait(), TimerState::Fired);
        assert!(timer.reset());
        assert_eq!(timer.run(SOON, || ()).unwrap(), TimerOutcome::Fired);
        assert_eq!(first.join().unwrap(), TimerOutcome::Fired);
    });
}

/// The same with a third, which waits, and sleeps beside the runner's word as well.
#[test]
fn it_runs_again_although_others_wait() {
    explore(CALM.within(1), || {
        let timer = Arc::new(Timer::new());
        let (theirs, others) = (timer.clone(), timer.clone());
        let first = spawn(move || theirs.run(SOON, || ()).unwrap());
        let waiter = spawn(move || others.wait());
        assert_eq!(timer.wait(), TimerState::Fired);
        assert!(timer.reset());
        assert_eq!(timer.run(SOON, || ()).unwrap(), TimerOutcome::Fired);
        assert_eq!(first.join().unwrap(), TimerOutcome::Fired);
        assert_eq!(waiter.join().unwrap(), TimerState::Fired);
    });
}
