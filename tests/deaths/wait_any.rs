//! `wait_any`: killed as one that waits for several things, beside others who wait for one of them; and as one
//! that makes them ready.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use procsync::{Event, Ready, Reason, Semaphore, Source, Timer, TimerState, wait_any};

use crate::common::{Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

const LONG: Duration = Duration::from_secs(1000);

#[repr(C)]
struct Desk {
    stop: Event,
    jobs: Semaphore,
    more_jobs: Semaphore,
    alarm: Timer,
    other_alarm: Timer,
    /// Permits that survivors have taken.
    taken: AtomicU32,
    /// Permits that were given out, but for those of the victim.
    given: Cell<u32>,
}

// SAFETY: all fields are, and zeros are what their `new` makes.
unsafe impl Plain for Desk {}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = watching_semaphores();
    all.extend(releasing());
    all.extend(watching_timers());
    crate::as_trials(all)
}

const fn scenario(name: &'static str, victim: fn(&Desk, &Cue)) -> Scenario<Desk> {
    Scenario {
        show,
        ..Scenario::new(name, victim)
    }
}

fn show(desk: &Desk) -> String {
    let asleep = [&desk.jobs, &desk.more_jobs].map(sleepers);
    let alarms = (&desk.alarm, &desk.other_alarm);
    format!(
        "{:?}, {:?}, asleep {asleep:?}, {} taken, {alarms:?}",
        desk.jobs,
        desk.more_jobs,
        desk.taken.load(Ordering::SeqCst)
    )
}

// ---- Roles -----------------------------------------------------------------------------------------

fn take(desk: &Desk, semaphore: &Semaphore) {
    semaphore.acquire().forget();
    desk.taken.fetch_add(1, Ordering::SeqCst);
}

fn sleeper(desk: &Desk) {
    take(desk, &desk.jobs);
}

fn other_sleeper(desk: &Desk) {
    take(desk, &desk.more_jobs);
}

/// Until it has a job, or all are to go home.
fn watcher(desk: &Desk) {
    let sources: [Source<'_>; 2] = [(&desk.jobs).into(), (&desk.stop).into()];
    let Ready { reason, .. } = wait_any(&sources).expect("there are sources");
    if let Reason::Permit(permit) = reason {
        permit.forget();
        desk.taken.fetch_add(1, Ordering::SeqCst);
    }
}

fn ringer(desk: &Desk) {
    assert!(desk.alarm.wait().is_finished());
}

fn other_ringer(desk: &Desk) {
    assert!(desk.other_alarm.wait().is_finished());
}

fn runner(desk: &Desk) {
    let _ = desk.alarm.run(LONG, || ());
}

fn wait_for_either(desk: &Desk, cue: &Cue) {
    let sources: [Source<'_>; 2] = [(&desk.jobs).into(), (&desk.more_jobs).into()];
    cue.begin();
    if let Ok(Reason::Permit(permit)) = wait_any(&sources).map(|ready| ready.reason) {
        permit.forget();
    }
    cue.end();
}

fn wait_for_alarms(desk: &Desk, cue: &Cue) {
    let sources: [Source<'_>; 3] = [
        (&desk.stop).into(),
        (&desk.alarm).into(),
        (&desk.other_alarm).into(),
    ];
    cue.begin();
    let _ = wait_any(&sources);
    cue.end();
}

fn release(desk: &Desk, cue: &Cue) {
    cue.begin();
    desk.jobs.release(2).expect("there is room");
    cue.end();
}

// ---- Semaphores, watched -----------------------------------------------------------------------------

fn watching_semaphores() -> Vec<Scenario<Desk>> {
    let scenario = |name| Scenario {
        asleep: |scene, n| give(scene, n),
        after: all_but_one_are_left,
        stride: 2,
        ..scenario(name, wait_for_either)
    };
    vec![
        Scenario {
            before: |scene| scene.start_asleep(sleeper),
            ..scenario("wait_any: two semaphores, one sleeps ahead")
        },
        Scenario {
            asleep: |scene, n| {
                if n == 1 {
                    scene.start_asleep(sleeper)?;
                    scene.start_asleep(other_sleeper)?;
                }
                give(scene, n)
            },
            ..scenario("wait_any: two semaphores, one sleeps behind on each")
        },
        Scenario {
            before: |scene| scene.start_asleep(watcher),
            ..scenario("wait_any: two semaphores, another watches one")
        },
    ]
}

/// A permit of each; and one more whenever the victim finds that others were faster.
fn give(scene: &mut Scene<'_, Desk>, n: u32) -> Outcome {
    let give = |semaphore: &Semaphore| {
        scene.given.set(scene.given.get() + 1);
        semaphore.release(1).expect("there is room");
    };
    if n == 1 {
        give(&scene.more_jobs);
    }
    give(&scene.jobs);
    Ok(())
}

/// Permits that nobody has taken, of either kind.
fn left(desk: &Desk) -> u32 {
    desk.jobs.available_permits() + desk.more_jobs.available_permits()
}

/// The victim may have taken one. Of the rest, nobody sleeps beside one.
fn all_but_one_are_left(scene: &mut Scene<'_, Desk>) -> Outcome {
    nobody_sleeps_beside_a_permit(scene)?;
    let accounted = left(scene) + scene.taken.load(Ordering::SeqCst);
    let given = scene.given.get();
    require(accounted == given || accounted + 1 == given, || {
        format!("of {given} permits there are {accounted}")
    })?;
    require(!scene.ended || given == 0 || accounted + 1 == given, || {
        "it ended without a permit, or with two".into()
    })?;
    all_go_home(scene)
}

fn nobody_sleeps_beside_a_permit(scene: &Scene<'_, Desk>) -> Outcome {
    scene.until("nobody sleeps beside a permit", |desk| {
        [&desk.jobs, &desk.more_jobs]
            .into_iter()
            .all(|semaphore| semaphore.available_permits() == 0 || sleepers(semaphore) == 0)
    })
}

/// Those who still sleep get what they wait for, and newcomers do.
fn all_go_home(scene: &mut Scene<'_, Desk>) -> Outcome {
    scene.stop.set();
    for semaphore in [&scene.jobs, &scene.more_jobs] {
        semaphore.release(3).expect("there is room");
    }
    scene.join_all()?;
    scene.run(sleeper)?;
    scene.run(other_sleeper)
}

// ---- Releasing to watchers ---------------------------------------------------------------------------

fn releasing() -> Vec<Scenario<Desk>> {
    let scenario = |name, before| Scenario {
        before,
        after: both_or_neither,
        ..scenario(name, release)
    };
    vec![
        scenario("wait_any: release, one watches, one sleeps", |scene| {
            scene.start_asleep(watcher)?;
            scene.start_asleep(sleeper)
        }),
        scenario("wait_any: release, one sleeps, one watches", |scene| {
            scene.start_asleep(sleeper)?;
            scene.start_asleep(watcher)
        }),
        scenario("wait_any: release, two watch", |scene| {
            scene.start_asleep(watcher)?;
            scene.start_asleep(watcher)
        }),
    ]
}

fn both_or_neither(scene: &mut Scene<'_, Desk>) -> Outcome {
    nobody_sleeps_beside_a_permit(scene)?;
    let taken = || scene.taken.load(Ordering::SeqCst);
    if scene.ended || taken() > 0 {
        scene.until("both have got a permit", |_| taken() == 2)?;
    }
    all_go_home(scene)
}

// ---- Timers ------------------------------------------------------------------------------------------

fn watching_timers() -> Vec<Scenario<Desk>> {
    let scenario = |name, asleep| Scenario {
        asleep,
        before: two_wait_for_alarms,
        after: all_ring,
        stride: 2,
        ..scenario(name, wait_for_alarms)
    };
    vec![
        scenario("wait_any: two timers, one is cancelled", |scene, n| {
            require(n > 1 || scene.alarm.cancel(), || "it is idle".into())
        }),
        scenario(
            "wait_any: two timers, the other is cancelled",
            |scene, n| require(n > 1 || scene.other_alarm.cancel(), || "it is idle".into()),
        ),
        Scenario {
            staged: |scene| {
                scene.start(runner);
                scene.until("it runs", |desk| desk.alarm.state() == TimerState::Armed)
            },
            ..scenario(
                "wait_any: two timers, the runner of one dies",
                |scene, n| {
                    if n == 1 {
                        // After the two who wait.
                        scene.kill_peer(2);
                    }
                    Ok(())
                },
            )
        },
    ]
}

fn two_wait_for_alarms(scene: &mut Scene<'_, Desk>) -> Outcome {
    scene.start_asleep(ringer)?;
    scene.start_asleep(other_ringer)
}

/// Whoever waits for one that is finished is told; then the others are.
fn all_ring(scene: &mut Scene<'_, Desk>) -> Outcome {
    for timer in [&scene.alarm, &scene.other_alarm] {
        let is_told = |_: &Desk| !timer.state().is_finished() || sleepers(timer) == 0;
        scene.until("nobody sleeps beside a finished timer", is_told)?;
    }
    scene.alarm.cancel();
    scene.other_alarm.cancel();
    scene.join_all()
}
