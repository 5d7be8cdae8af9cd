//! Timers whose thread does not come to the end, and threads that do.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use procsync::{Timer, TimerOutcome, TimerState};

use crate::common::{Gate, Mapped, fork, until};
use crate::scene::{LONG, panic_quietly, panics, shared, until_asleep, wherever};

#[test]
fn a_function_that_panics_abandons_it() {
    wherever(Timer::new, |timer| {
        thread::scope(|scope| {
            let waiters = [(); 3].map(|()| scope.spawn(|| timer.wait()));
            until_asleep(timer, 3);
            assert!(panics(|| timer.run(Duration::ZERO, || panic_quietly())));
            for waiter in waiters {
                assert_eq!(waiter.join().expect("no panic"), TimerState::Abandoned);
            }
        });
        assert_eq!(timer.state(), TimerState::Abandoned);
        assert!(!timer.cancel() && timer.reset());
        assert!(timer.run(Duration::ZERO, || ()).is_ok());
    });
}

#[test]
fn a_started_function_that_panics_abandons_it() {
    let timer = Arc::new(Timer::new());
    let thread = Timer::start(timer.clone(), Duration::ZERO, || panic_quietly()).expect("idle");
    assert_eq!(timer.wait(), TimerState::Abandoned);
    assert!(thread.join().is_err());
}

#[test]
fn the_death_of_its_process_abandons_it() {
    let timer = shared(Timer::new());
    for _ in 0..10 {
        let runner = fork(|| drop(timer.run(LONG, || ())));
        until_asleep(&*timer, 1);
        let waiters = [(); 3].map(|()| fork(|| assert_eq!(timer.wait(), TimerState::Abandoned)));
        until_asleep(&*timer, 4);
        runner.kill();
        for waiter in waiters {
            waiter.succeed();
        }
        assert_eq!(timer.state(), TimerState::Abandoned);
        assert!(!timer.cancel() && timer.reset());
    }
    assert!(timer.run(Duration::ZERO, || ()).is_ok());
}

#[test]
fn a_death_during_the_function_abandons_it() {
    let timer = shared(Timer::new());
    let acting: Mapped<Gate> = Mapped::zeroed();
    let runner = fork(|| {
        let act = || {
            acting.open();
            Gate::default().wait();
        };
        let _ = timer.run(Duration::ZERO, act);
    });
    acting.wait();
    let waiter = fork(|| assert_eq!(timer.wait(), TimerState::Abandoned));
    until_asleep(&*timer, 1);
    runner.kill();
    waiter.succeed();
}

#[test]
fn the_death_of_others_changes_nothing() {
    let timer = shared(Timer::new());
    let runner = fork(|| {
        let run = timer.run(LONG, || unreachable!("cancelled"));
        assert_eq!(run.ok(), Some(TimerOutcome::Cancelled));
    });
    let waiters = [(); 3].map(|()| {
        fork(|| {
            timer.wait();
        })
    });
    until_asleep(&*timer, 4);
    let [first, second, third] = waiters;
    first.kill();
    second.kill();
    assert_eq!(timer.state(), TimerState::Armed);
    assert!(timer.cancel());
    runner.succeed();
    third.succeed();
}

/// A child that was forked by the function does not end the timer.
#[test]
fn a_child_of_the_function_leaves_it_alone() {
    let timer = shared(Timer::new());
    let outcome = timer.run(Duration::ZERO, || {
        fork(|| assert_eq!(timer.state(), TimerState::Running)).succeed();
        assert_eq!(timer.state(), TimerState::Running);
    });
    assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
}

fn count_threads() -> usize {
    let threads = fs::read_dir("/proc/self/task").expect("it can be read");
    threads.count()
}

#[test]
fn no_thread_stays_behind() {
    fork(|| {
        let timer = Arc::new(Timer::new());
        let _ = Timer::start(timer.clone(), Duration::ZERO, || ());
        timer.wait();
        until(|| count_threads() == 1).expect("the thread ends");
        for round in 0..20 {
            assert!(timer.reset());
            let never = || unreachable!("cancelled");
            let thread = Timer::start(timer.clone(), LONG, never).expect("idle");
            assert_eq!(count_threads(), 2);
            assert!(timer.cancel());
            if round % 2 == 0 {
                thread.join().expect("no panic");
            }
            until(|| count_threads() == 1).expect("the thread ends");
        }
        assert!(Timer::start(timer.clone(), LONG, || ()).is_err());
        until(|| count_threads() == 1).expect("the thread ends");
    })
    .succeed();
}
