//! One of several: what comes first, what is left, how long, how many.

use std::thread;
use std::time::{Duration, Instant};

use procsync::{
    BoundedSemaphore, Event, FutexWord, Ready, Reason, Semaphore, Source, Timer, TimerState,
    WaitError, shareable, wait_any, wait_any_timeout, wait_any_until,
};

use crate::common::{End, fork, sleepers, until};
use crate::scene::{LONG, SHORT, lasting, shared, the_past, until_asleep, wherever};

shareable! {
    struct Desk {
        stop: Event,
        jobs: Semaphore,
        rooms: BoundedSemaphore,
        alarm: Timer,
        second: Timer,
        word: FutexWord,
        done: FutexWord,
    }
}

fn desk() -> Desk {
    let desk = Desk {
        stop: Event::new(),
        jobs: Semaphore::new(0),
        rooms: BoundedSemaphore::new(1),
        alarm: Timer::new(),
        second: Timer::new(),
        word: FutexWord::new(7),
        done: FutexWord::new(0),
    };
    desk.rooms.acquire().forget();
    desk
}

impl Desk {
    fn sources(&self) -> [Source<'_>; 5] {
        [
            (&self.stop).into(),
            (&self.jobs).into(),
            (&self.rooms).into(),
            (&self.alarm).into(),
            (&self.word, 7).into(),
        ]
    }
}

/// What makes each of the sources ready, and whether it is the reason for it.
type Case = (fn(&Desk), fn(&Reason<'_>) -> bool);
const CASES: [Case; 5] = [
    (
        |desk| desk.stop.set(),
        |reason| matches!(reason, Reason::Set),
    ),
    (
        |desk| desk.jobs.release(1).expect("room"),
        |reason| matches!(reason, Reason::Permit(_)),
    ),
    (
        |desk| desk.rooms.release(1).expect("room"),
        |reason| matches!(reason, Reason::Permit(_)),
    ),
    (
        |desk| assert!(desk.alarm.cancel()),
        |reason| matches!(reason, Reason::Finished(TimerState::Cancelled)),
    ),
    (
        |desk| {
            desk.word.store(8, std::sync::atomic::Ordering::Release);
            desk.word.wake_all();
        },
        |reason| matches!(reason, Reason::Changed(8)),
    ),
];

#[test]
fn what_is_there_is_taken() {
    for (index, (make_ready, is_right)) in CASES.into_iter().enumerate() {
        wherever(desk, |desk| {
            make_ready(desk);
            let ready = wait_any(&desk.sources()).expect("it is there");
            assert!(ready.index == index && is_right(&ready.reason), "{ready:?}");
        });
    }
}

#[test]
fn what_comes_ends_the_wait() {
    for (index, (make_ready, is_right)) in CASES.into_iter().enumerate() {
        wherever(desk, |desk| {
            thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    let ready = wait_any(&desk.sources()).expect("it comes");
                    assert!(ready.index == index && is_right(&ready.reason), "{ready:?}");
                });
                until_asleep(&desk.stop, 1);
                make_ready(desk);
                waiter.join().expect("it is right");
            });
            assert_eq!(sleepers(desk), 0);
        });
    }
}

#[test]
fn between_processes() {
    for (index, (make_ready, is_right)) in CASES.into_iter().enumerate() {
        let desk = shared(desk());
        let child = fork(|| {
            let ready = wait_any(&desk.sources()).expect("it comes");
            assert!(ready.index == index && is_right(&ready.reason), "{ready:?}");
        });
        until_asleep(&desk.stop, 1);
        make_ready(&desk);
        child.succeed();
    }
}

#[test]
fn the_first_of_several_is_taken_and_the_others_are_left() {
    wherever(desk, |desk| {
        desk.jobs.release(2).expect("room");
        desk.rooms.release(1).expect("room");
        let ready = wait_any(&desk.sources()).expect("two are there");
        assert_eq!(ready.index, 1);
        assert_eq!(desk.jobs.available_permits(), 1);
        assert_eq!(desk.rooms.available_permits(), 1);
        drop(ready);
        assert_eq!(desk.jobs.available_permits(), 2, "a permit comes back");
    });
}

#[test]
fn the_same_source_twice() {
    wherever(desk, |desk| {
        let twice: [Source<'_>; 2] = [(&desk.jobs).into(), (&desk.jobs).into()];
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_any(&twice).map(|ready| ready.index));
            until(|| sleepers(&desk.jobs) > 0).expect("it sleeps");
            desk.jobs.release(1).expect("room");
            assert!(waiter.join().expect("no panic").is_ok());
        });
        assert_eq!(
            desk.jobs.available_permits(),
            1,
            "taken once, and given back"
        );
    });
}

#[test]
fn timeouts_are_kept() {
    wherever(desk, |desk| {
        let sources = desk.sources();
        let timed_out = |result: Result<Ready<'_>, WaitError>| {
            assert_eq!(result.map(|ready| ready.index), Err(WaitError::TimedOut));
        };
        lasting(Duration::ZERO, || {
            timed_out(wait_any_timeout(&sources, Duration::ZERO));
            timed_out(wait_any_until(&sources, the_past()));
        });
        lasting(SHORT, || timed_out(wait_any_timeout(&sources, SHORT)));
        let deadline = Instant::now() + SHORT;
        timed_out(wait_any_until(&sources, deadline));
        assert!(Instant::now() >= deadline && sleepers(desk) == 0);
        desk.jobs.release(1).expect("room");
        // The permit comes back each time.
        let index = |result: Result<Ready<'_>, WaitError>| result.map(|ready| ready.index);
        assert_eq!(index(wait_any_timeout(&sources, Duration::ZERO)), Ok(1));
        assert_eq!(index(wait_any_timeout(&sources, Duration::MAX)), Ok(1));
        assert_eq!(index(wait_any_until(&sources, the_past())), Ok(1));
    });
}

#[test]
fn too_few_and_too_many() {
    assert_eq!(wait_any(&[]).map(|_| ()), Err(WaitError::NoSources));
    let events: Vec<Event> = (0..65).map(|_| Event::new()).collect();
    let sources: Vec<Source<'_>> = events.iter().map(Source::from).collect();
    let too_many = WaitError::TooManySources {
        found: 65,
        most: 64,
    };
    assert_eq!(wait_any(&sources).map(|_| ()), Err(too_many));
    assert!(too_many.to_string().contains("65"));
    // As many as there may be, with timers, which need more words.
    let timer = Timer::new();
    let mut most = sources[..62].to_vec();
    most.extend([Source::Timer(&timer), Source::Timer(&timer)]);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_any(&most).map(|ready| ready.index));
        until_asleep(&events[61], 1);
        events[61].set();
        assert_eq!(waiter.join().expect("no panic"), Ok(61));
    });
}

/// As with each alone: set, and cleared at once.
#[test]
fn a_set_and_a_clear_end_the_wait() {
    wherever(desk, |desk| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_any(&desk.sources()).map(|ready| ready.index));
            until_asleep(&desk.stop, 1);
            desk.stop.set();
            desk.stop.clear();
            assert_eq!(waiter.join().expect("no panic"), Ok(0));
            // And what was before does not count.
            let none = wait_any_timeout(&desk.sources(), Duration::ZERO);
            assert_eq!(none.map(|ready| ready.index), Err(WaitError::TimedOut));
        });
    });
}

/// Those who wait for the semaphore alone, and those who wait for more, all get theirs.
#[test]
fn watchers_and_sleepers_share() {
    const EACH: u32 = 4;
    wherever(desk, |desk| {
        thread::scope(|scope| {
            for _ in 0..EACH {
                scope.spawn(|| desk.jobs.acquire().forget());
                scope.spawn(|| {
                    let Ready { reason, .. } = wait_any(&desk.sources()).expect("it comes");
                    let Reason::Permit(job) = reason else {
                        panic!("{reason:?}");
                    };
                    job.forget();
                });
            }
            until_asleep(&desk.jobs, 2 * EACH as usize);
            for _ in 0..EACH {
                desk.jobs.release(2).expect("room");
            }
        });
        assert_eq!(desk.jobs.available_permits(), 0);
        // Nobody watches any more; it works as before.
        desk.jobs.release(1).expect("room");
        desk.jobs.acquire().forget();
    });
}

/// Of whichever timer, first or second.
#[test]
fn a_dead_runner_is_told_of() {
    for which in 0..2 {
        let desk = shared(desk());
        let timers = [&desk.alarm, &desk.second];
        let runner = fork(|| drop(timers[which].run(LONG, || ())));
        until(|| timers[which].state() == TimerState::Armed).expect("it is armed");
        let watcher = fork(|| {
            let sources = [timers[0].into(), timers[1].into(), (&desk.stop).into()];
            let Ready { index, reason } = wait_any(&sources).expect("it comes");
            assert!(index == which && matches!(reason, Reason::Finished(TimerState::Abandoned)));
        });
        until_asleep(&desk.stop, 1);
        runner.kill();
        assert_eq!(watcher.join_within(LONG), Ok(End::Exited(0)));
    }
}

/// Each permit is taken once, by one of three.
#[test]
fn no_permit_is_lost_between_the_living() {
    let desk = shared(desk());
    let work = || {
        let sources = [(&desk.jobs).into(), (&desk.stop).into()];
        while let Ok(Ready {
            reason: Reason::Permit(job),
            ..
        }) = wait_any(&sources)
        {
            job.forget();
            desk.done.add_one_and_wake_all();
        }
    };
    let workers: Vec<_> = (0..3).map(|_| fork(work)).collect();
    const JOBS: u32 = 3_000;
    for _ in 0..JOBS {
        desk.jobs.release(1).expect("room");
    }
    let done = || desk.done.load(std::sync::atomic::Ordering::Acquire) == JOBS;
    until(done).expect("all jobs are done");
    desk.stop.set();
    for worker in workers {
        worker.succeed();
    }
    assert_eq!(desk.jobs.available_permits(), 0);
}
