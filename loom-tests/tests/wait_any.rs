//! `wait_any`: one of several, taken once, and nobody else held up.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread::spawn;
use loom_tests::{CALM, DEATHS, NAPS, explore, others_sleep};
use procsync::model::spawn_mortal;
use procsync::{
    Event, FutexWord, Ready, Reason, Semaphore, Source, Timer, TimerState, WaitError, wait_any,
    wait_any_timeout,
};

const SOON: Duration = Duration::from_secs(1);

/// What somebody waits for.
struct Desk {
    stop: Event,
    jobs: Semaphore,
    more_jobs: Semaphore,
    alarm: Timer,
    other_alarm: Timer,
    word: FutexWord,
}

fn desk() -> Arc<Desk> {
    Arc::new(Desk {
        stop: Event::new(),
        jobs: Semaphore::new(0),
        more_jobs: Semaphore::new(0),
        alarm: Timer::new(),
        other_alarm: Timer::new(),
        word: FutexWord::new(0),
    })
}

/// Waits, and keeps the permit if it gets one; which of the sources it was.
fn wait_for(sources: &[Source<'_>]) -> usize {
    keep(wait_any(sources).expect("there are sources"))
}

fn keep(Ready { index, reason }: Ready<'_>) -> usize {
    if let Reason::Permit(permit) = reason {
        permit.forget();
    }
    index
}

fn wait_for_work(desk: &Desk) -> usize {
    wait_for(&[(&desk.stop).into(), (&desk.jobs).into()])
}

#[test]
fn each_source_ends_the_wait() {
    explore(NAPS.within(3), || {
        let desk = desk();
        let theirs = desk.clone();
        let waiter = spawn(move || {
            let sources = [(&theirs.stop).into(), (&theirs.word, 0).into()];
            wait_for(&sources)
        });
        let theirs = desk.clone();
        let writer = spawn(move || {
            theirs.word.add_one_and_wake_all();
        });
        desk.stop.set();
        waiter.join().unwrap();
        writer.join().unwrap();
    });
}

/// Set and cleared before it looks again.
#[test]
fn a_set_is_not_missed() {
    explore(NAPS.within(3), || {
        let desk = desk();
        let theirs = desk.clone();
        let waiter = spawn(move || wait_for_work(&theirs));
        if others_sleep(1) {
            desk.stop.set();
            desk.stop.clear();
        } else {
            desk.stop.set();
        }
        assert_eq!(waiter.join().unwrap(), 0);
    });
}

#[test]
fn one_permit_of_two_semaphores_is_taken() {
    explore(NAPS.within(3), || {
        let desk = desk();
        let theirs = desk.clone();
        let waiter = spawn(move || {
            let sources = [(&theirs.jobs).into(), (&theirs.more_jobs).into()];
            wait_for(&sources)
        });
        desk.jobs.release(1).unwrap();
        desk.more_jobs.release(1).unwrap();
        let taken = waiter.join().unwrap();
        let left = [&desk.jobs, &desk.more_jobs].map(Semaphore::available_permits);
        assert_eq!(left, if taken == 0 { [0, 1] } else { [1, 0] });
    });
}

#[test]
fn what_came_too_late_is_left() {
    explore(NAPS.within(3), || {
        let desk = desk();
        let theirs = desk.clone();
        let waiter = spawn(move || {
            let sources = [(&theirs.stop).into(), (&theirs.jobs).into()];
            wait_any_timeout(&sources, SOON).map(keep)
        });
        desk.jobs.release(1).unwrap();
        let left = match waiter.join().unwrap() {
            Ok(1) => 0,
            Err(WaitError::TimedOut) => 1,
            other => panic!("{other:?}"),
        };
        assert_eq!(desk.jobs.available_permits(), left);
    });
}

/// Somebody sleeps on a semaphore alone, and somebody watches it, who dies: the permit goes to the one, or was
/// taken by the other.
#[test]
fn a_dead_watcher_passes_on() {
    explore(DEATHS.within(1), || {
        let desk = desk();
        let (theirs, victims) = (desk.clone(), desk.clone());
        let victim = spawn_mortal(move || {
            let sources = [(&victims.jobs).into(), (&victims.more_jobs).into()];
            wait_for(&sources)
        });
        let other = spawn(move || theirs.jobs.acquire().forget());
        others_sleep(2);
        desk.more_jobs.release(1).unwrap();
        desk.jobs.release(1).unwrap();
        victim.join();
        if desk.jobs.available_permits() == 0 {
            desk.jobs.release(1).unwrap();
        }
        other.join().unwrap();
    });
}

/// One comes to watch while a permit is released to another, and taken by a third.
#[test]
fn who_comes_to_watch_takes_no_wake_up_along() {
    explore(CALM.within(3), || {
        let desk = desk();
        let (theirs, watchers) = (desk.clone(), desk.clone());
        let sleeper = spawn(move || theirs.jobs.acquire().forget());
        others_sleep(1);
        let watcher = spawn(move || wait_for_work(&watchers));
        desk.jobs.release(1).unwrap();
        let was_taken = desk
            .jobs
            .try_acquire()
            .map(procsync::Permit::forget)
            .is_some();
        desk.stop.set();
        let worked = watcher.join().unwrap() == 1;
        desk.jobs
            .release(u32::from(was_taken) + u32::from(worked))
            .unwrap();
        sleeper.join().unwrap();
        assert_eq!(desk.jobs.available_permits(), 0);
    });
}

/// Two sleep, one on the semaphore alone, one on more: if the permits are there, both get one.
#[test]
fn a_dead_releaser_has_released_to_both_or_to_neither() {
    // With more, one that a death has woken for nothing looks as if it had got a permit.
    explore(DEATHS.within(0), || {
        let desk = desk();
        let (theirs, watchers) = (desk.clone(), desk.clone());
        let sleeper = spawn(move || theirs.jobs.acquire().forget());
        let watcher = spawn(move || wait_for_work(&watchers));
        let slept = others_sleep(2);
        let victims = desk.clone();
        let victim = spawn_mortal(move || victims.jobs.release(2).unwrap());
        let has_released = victim.join().is_some()
            || desk.jobs.available_permits() > 0
            || slept && procsync::model::asleep() < 2;
        if !has_released {
            desk.jobs.release(2).unwrap();
        }
        sleeper.join().unwrap();
        assert_eq!(watcher.join().unwrap(), 1);
    });
}

#[test]
fn the_end_of_a_timer_is_seen() {
    explore(NAPS.within(1), || {
        let desk = desk();
        let (theirs, watchers) = (desk.clone(), desk.clone());
        let runner = spawn(move || theirs.alarm.run(SOON, || ()).unwrap());
        let watcher = spawn(move || {
            let sources = [(&watchers.stop).into(), (&watchers.alarm).into()];
            wait_for(&sources)
        });
        assert_eq!(watcher.join().unwrap(), 1);
        runner.join().unwrap();
    });
}

fn end_of(reason: &Reason<'_>) -> Option<TimerState> {
    match reason {
        Reason::Finished(end) => Some(*end),
        _ => None,
    }
}

/// Of the first timer at once, beside one that waits for it alone.
#[test]
fn a_dead_runner_is_told_of() {
    explore(DEATHS.within(0), || {
        let desk = desk();
        let (theirs, watchers, victims) = (desk.clone(), desk.clone(), desk.clone());
        let victim = spawn_mortal(move || victims.alarm.run(SOON, || ()).unwrap());
        let watcher = spawn(move || {
            let ready = wait_any(&[(&watchers.alarm).into(), (&watchers.stop).into()]).unwrap();
            end_of(&ready.reason)
        });
        let waiter = spawn(move || theirs.alarm.wait());
        if victim.join().is_none() && desk.alarm.state() == TimerState::Idle {
            desk.alarm.cancel();
        }
        let end = waiter.join().unwrap();
        assert!(end.is_finished());
        assert_eq!(watcher.join().unwrap(), Some(end));
    });
}

/// It changes the state and dies, as one falls asleep.
#[test]
fn a_dead_canceller_has_cancelled_or_not() {
    explore(DEATHS.within(2), || {
        let desk = desk();
        let (theirs, watchers, victims) = (desk.clone(), desk.clone(), desk.clone());
        let watcher = spawn(move || {
            let ready = wait_any(&[(&watchers.stop).into(), (&watchers.alarm).into()]).unwrap();
            end_of(&ready.reason)
        });
        let waiter = spawn(move || theirs.alarm.wait());
        let victim = spawn_mortal(move || victims.alarm.cancel());
        if victim.join().is_none() && desk.alarm.state() == TimerState::Idle {
            desk.alarm.cancel();
        }
        assert_eq!(waiter.join().unwrap(), TimerState::Cancelled);
        assert_eq!(watcher.join().unwrap(), Some(TimerState::Cancelled));
    });
}

/// One that watches dies, and another waits for the timer alone.
#[test]
fn a_dead_watcher_of_a_timer_holds_nobody_up() {
    explore(DEATHS.within(1), || {
        let desk = desk();
        let (theirs, victims) = (desk.clone(), desk.clone());
        let victim = spawn_mortal(move || {
            let sources = [(&victims.alarm).into(), (&victims.other_alarm).into()];
            wait_for(&sources)
        });
        let waiters = [0, 1].map(|which| {
            let desk = theirs.clone();
            spawn(move || [&desk.alarm, &desk.other_alarm][which].wait())
        });
        others_sleep(3);
        desk.alarm.cancel();
        desk.other_alarm.cancel();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), TimerState::Cancelled);
        }
        victim.join();
    });
}

/// Of a second timer, after a round: nothing wakes the one that waits.
#[test]
fn the_dead_runner_of_a_second_timer_is_found() {
    explore(DEATHS.within(1), || {
        let desk = desk();
        let (watchers, victims) = (desk.clone(), desk.clone());
        let victim = spawn_mortal(move || victims.other_alarm.run(2 * SOON, || ()).unwrap());
        let watcher = spawn(move || {
            let sources = [(&watchers.alarm).into(), (&watchers.other_alarm).into()];
            end_of(&wait_any(&sources).unwrap().reason)
        });
        let died = victim.join().is_none();
        if died && desk.other_alarm.state() == TimerState::Idle {
            desk.other_alarm.cancel();
        }
        let end = watcher.join().unwrap().expect("a timer");
        assert!(died || end == TimerState::Fired);
        assert_eq!(end, desk.other_alarm.state());
    });
}
