//! Timers that fire or are cancelled.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use procsync::{Shared, Timer, TimerError, TimerOutcome, TimerState};

use crate::common::{Gate, fork, sleepers, until};
use crate::scene::{LONG, SHORT, lasting, shared, the_past, until_asleep, wherever};

/// A handle for [`Timer::start`].
pub(crate) trait Handle: Deref<Target = Timer> + Clone + Send + Sync + 'static {}
impl Handle for Arc<Timer> {}
impl Handle for Shared<Timer> {}

/// Makes tests of functions for a timer in private and one in shared memory.
macro_rules! wherever_it_is {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            wherever_it_is::$name(&Arc::new(Timer::new()));
            wherever_it_is::$name(&shared(Timer::new()));
        })+
    };
}

wherever_it_is! {
    start_arms_and_fires
    a_started_timer_can_be_cancelled
    start_refuses_what_run_refuses
}

mod wherever_it_is {
    use super::*;

    pub(super) fn start_arms_and_fires(timer: &impl Handle) {
        let (started, fired) = (Instant::now(), Arc::new(Gate::default()));
        let open = fired.clone();
        let thread = Timer::start(timer.clone(), SHORT, move || open.open()).expect("idle");
        assert_ne!(timer.state(), TimerState::Idle);
        fired.wait();
        assert!(started.elapsed() >= SHORT);
        assert_eq!(timer.wait(), TimerState::Fired);
        assert_eq!(thread.join().expect("no panic"), TimerOutcome::Fired);
    }

    pub(super) fn a_started_timer_can_be_cancelled(timer: &impl Handle) {
        for _ in 0..100 {
            let never = || unreachable!("it is cancelled");
            let thread = Timer::start(timer.clone(), LONG, never).expect("idle");
            assert_eq!(timer.state(), TimerState::Armed);
            let left = timer.remaining().expect("it is armed");
            assert!(!left.is_zero() && left <= LONG);
            assert!(timer.cancel() && !timer.cancel());
            assert_eq!(timer.state(), TimerState::Cancelled);
            assert_eq!(timer.remaining(), None);
            assert_eq!(thread.join().expect("no panic"), TimerOutcome::Cancelled);
            assert!(timer.reset());
        }
    }

    pub(super) fn start_refuses_what_run_refuses(timer: &impl Handle) {
        let never = || unreachable!("it is cancelled");
        let thread = Timer::start(timer.clone(), Duration::MAX, never).expect("idle");
        assert_eq!(timer.remaining(), Some(Duration::MAX));
        let again = Timer::start(timer.clone(), SHORT, || unreachable!("it is armed"));
        assert!(matches!(again, Err(TimerError::AlreadyStarted)));
        assert!(timer.cancel());
        thread.join().expect("no panic");
        let again = Timer::start(timer.clone(), SHORT, || unreachable!("it is over"));
        assert!(matches!(again, Err(TimerError::AlreadyStarted)));
        assert!(timer.reset() && timer.cancel());
        let called_off = Timer::start(timer.clone(), LONG, || unreachable!("called off"));
        let outcome = called_off.expect("idle").join().expect("no panic");
        assert_eq!(outcome, TimerOutcome::Cancelled);
    }
}

fn is_refused(run: Result<TimerOutcome, TimerError>) -> bool {
    matches!(run, Err(TimerError::AlreadyStarted))
}

#[test]
fn run_fires_when_it_is_time() {
    wherever(Timer::new, |timer| {
        assert_eq!((timer.state(), timer.remaining()), (TimerState::Idle, None));
        let mut calls = 0;
        let outcome = lasting(SHORT, || timer.run(SHORT, || calls += 1));
        assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
        assert_eq!((calls, timer.state()), (1, TimerState::Fired));
        assert!(!timer.cancel() && timer.state() == TimerState::Fired);
        assert_eq!(timer.wait(), TimerState::Fired);
        assert!(is_refused(timer.run(SHORT, || unreachable!("it is over"))));
    });
}

#[test]
fn a_timer_can_be_used_hundreds_of_times() {
    wherever(Timer::new, |timer| {
        let mut calls = 0;
        for round in 1..=300 {
            let outcome = timer.run(Duration::from_micros(round % 3), || calls += 1);
            assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
            assert_eq!((calls, timer.reset()), (round, true));
            assert!(!timer.reset() && timer.state() == TimerState::Idle);
        }
    });
}

#[test]
fn while_it_runs_it_says_so() {
    wherever(Timer::new, |timer| {
        let outcome = timer.run(Duration::ZERO, || {
            assert_eq!(
                (timer.state(), timer.remaining()),
                (TimerState::Running, None)
            );
            assert!(!timer.cancel() && !timer.reset());
            assert_eq!(timer.wait_timeout(SHORT), TimerState::Running);
            assert!(is_refused(timer.run(SHORT, || unreachable!("it runs"))));
            let elsewhere = || is_refused(timer.run(SHORT, || unreachable!("it runs")));
            thread::scope(|scope| {
                assert!(scope.spawn(elsewhere).join().expect("no panic"));
            });
        });
        assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
    });
}

#[test]
fn cancelled_before_it_is_armed_it_does_not_run() {
    wherever(Timer::new, |timer| {
        assert!(timer.cancel() && !timer.cancel());
        assert_eq!(timer.state(), TimerState::Cancelled);
        assert_eq!(timer.wait(), TimerState::Cancelled);
        let run = lasting(Duration::ZERO, || {
            timer.run(LONG, || unreachable!("cancelled"))
        });
        assert_eq!(run.ok(), Some(TimerOutcome::Cancelled));
        assert_eq!(timer.state(), TimerState::Cancelled);
        assert!(is_refused(timer.run(LONG, || unreachable!("cancelled"))));
        assert!(timer.reset());
        assert!(timer.run(Duration::ZERO, || ()).is_ok());
        // A reset takes the cancellation back, too.
        assert!(timer.reset() && timer.cancel() && timer.reset());
        let run = timer.run(Duration::ZERO, || ());
        assert_eq!(run.ok(), Some(TimerOutcome::Fired));
    });
}

#[test]
fn waits_end_with_the_timer_or_their_timeout() {
    wherever(Timer::new, |timer| {
        assert_eq!(timer.wait_timeout(Duration::ZERO), TimerState::Idle);
        assert_eq!(
            lasting(SHORT, || timer.wait_timeout(SHORT)),
            TimerState::Idle
        );
        assert_eq!(timer.wait_until(the_past()), TimerState::Idle);
        thread::scope(|scope| {
            // They wait for an idle one, too.
            let waiters = [Duration::MAX, LONG]
                .map(|patience| scope.spawn(move || timer.wait_timeout(patience)));
            until_asleep(timer, 2);
            let runner = scope.spawn(|| timer.run(LONG, || unreachable!("cancelled")));
            until(|| timer.state() == TimerState::Armed).expect("it is armed");
            assert_eq!(timer.wait_timeout(SHORT), TimerState::Armed);
            assert!(timer.cancel());
            for waiter in waiters {
                assert_eq!(waiter.join().expect("no panic"), TimerState::Cancelled);
            }
            let outcome = runner.join().expect("no panic");
            assert_eq!(outcome.ok(), Some(TimerOutcome::Cancelled));
        });
        assert_eq!(sleepers(timer), 0);
    });
}

/// Whoever comes first, the timer fires or is cancelled, never both, never neither.
#[test]
fn either_it_fires_or_it_is_cancelled() {
    wherever(Timer::new, |timer| {
        let calls = AtomicU32::new(0);
        for round in 0..500 {
            calls.store(0, Ordering::SeqCst);
            let call = || {
                calls.fetch_add(1, Ordering::SeqCst);
            };
            let interval = Duration::from_micros(round % 50);
            let (outcome, cancelled) = thread::scope(|scope| {
                let runner = scope.spawn(|| timer.run(interval, call));
                let canceller = scope.spawn(|| timer.cancel());
                let end = timer.wait();
                let cancelled = canceller.join().expect("no panic");
                assert_eq!(end == TimerState::Cancelled, cancelled);
                (runner.join().expect("no panic"), cancelled)
            });
            let fired = outcome.expect("idle") == TimerOutcome::Fired;
            assert_eq!(
                (fired, calls.load(Ordering::SeqCst) == 1),
                (!cancelled, !cancelled)
            );
            assert!(timer.reset());
        }
    });
}

#[test]
fn another_process_cancels_and_waits() {
    let timer = shared(Timer::new());
    let runner = fork(|| {
        let run = timer.run(LONG, || unreachable!("cancelled"));
        assert_eq!(run.ok(), Some(TimerOutcome::Cancelled));
    });
    let waiter = fork(|| assert_eq!(timer.wait(), TimerState::Cancelled));
    until_asleep(&*timer, 2);
    assert!(timer.remaining().is_some_and(|left| left <= LONG));
    fork(|| assert!(timer.cancel())).succeed();
    runner.succeed();
    waiter.succeed();
    assert!(!timer.cancel() && timer.reset());

    let runner = fork(|| drop(timer.run(SHORT, || ())));
    fork(|| assert_eq!(timer.wait(), TimerState::Fired)).succeed();
    runner.succeed();
}

#[test]
fn it_can_be_printed() {
    let timer = Timer::default();
    assert!(format!("{timer:?}").contains("Idle"));
    assert!(TimerState::Fired.is_finished() && !TimerState::Running.is_finished());
}
