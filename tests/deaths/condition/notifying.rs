//! The victim is who notifies: its death is before or after.

use libtest_mimic::Trial;

use super::{
    AT_ONCE, Hall, all_due_return, all_wake_and_leave, fall_asleep, look, scenario, sleeper, take,
};
use crate::harness::{Outcome, Scenario};
use crate::scene::Scene;
use crate::stepper::Cue;

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = without_the_lock();
    all.extend(with_the_lock());
    all.extend(with_a_newcomer());
    all.extend(with_a_woken_one());
    crate::as_trials(all)
}

/// So many are not woken all at once.
const CROWD: u32 = 9;

fn one(hall: &Hall, cue: &Cue) {
    cue.begin();
    hall.condition.notify_one();
    cue.end();
}

fn two(hall: &Hall, cue: &Cue) {
    cue.begin();
    hall.condition.notify(2);
    cue.end();
}

fn everybody(hall: &Hall, cue: &Cue) {
    cue.begin();
    hall.condition.notify_all();
    cue.end();
}

/// `count` sleep, of whom it ends the waits of `due`.
fn asleep(scene: &mut Scene<'_, Hall>, count: u32, due: u32) -> Outcome {
    scene.due.set(due);
    fall_asleep(scene, count)
}

/// It was there, and was killed: the word says that somebody may wait.
fn one_was_killed(scene: &mut Scene<'_, Hall>) -> Outcome {
    let waiter = scene.fork(sleeper);
    scene.until("it sleeps", |hall| hall.sleepers() == 1)?;
    waiter.kill();
    Ok(())
}

/// All who are due return, or nobody, and the others sleep. Read again until it is so: one that a death has
/// just woken still counts as asleep.
fn all_or_none_return(scene: &mut Scene<'_, Hall>) -> Outcome {
    let (due, others) = (scene.due.get(), scene.others.get());
    let may_be_none = !scene.ended;
    scene.until("all who are due return, or nobody", |hall| {
        let returned = hall.returned();
        let is_right = returned == due || returned == 0 && may_be_none;
        is_right && hall.sleepers() + returned == others
    })?;
    all_wake_and_leave(scene)
}

// ---- Without the lock --------------------------------------------------------------------------------

fn without_the_lock() -> Vec<Scenario<Hall>> {
    let scenario = |name, before, victim| Scenario {
        before,
        after: all_or_none_return,
        ..scenario(name, victim)
    };
    vec![
        scenario("condition: notify_one, nobody there", |_| Ok(()), one),
        scenario(
            "condition: notify_one, who waited was killed",
            one_was_killed,
            one,
        ),
        scenario(
            "condition: notify_one, one asleep",
            |s| asleep(s, 1, 1),
            one,
        ),
        scenario(
            "condition: notify_one, two asleep",
            |s| asleep(s, 2, 1),
            one,
        ),
        scenario("condition: notify(2), one asleep", |s| asleep(s, 1, 1), two),
        scenario(
            "condition: notify(2), three asleep",
            |s| asleep(s, 3, 2),
            two,
        ),
        scenario(
            "condition: notify_all, one asleep",
            |s| asleep(s, 1, 1),
            everybody,
        ),
        scenario(
            "condition: notify_all, a crowd asleep",
            |s| asleep(s, CROWD, CROWD),
            everybody,
        ),
    ]
}

// ---- With the lock -----------------------------------------------------------------------------------

/// It dies with the lock, or after it.
fn with_the_lock() -> Vec<Scenario<Hall>> {
    let scenario = |name, before, victim| Scenario {
        before,
        after: all_or_none_return,
        ..scenario(name, victim)
    };
    vec![
        scenario(
            "condition: notify_one with the lock, two asleep",
            |scene| asleep(scene, 2, 1),
            |hall, cue| with_the_lock_held(hall, cue, 1),
        ),
        scenario(
            "condition: notify(2) with the lock, three asleep",
            |scene| asleep(scene, 3, 2),
            |hall, cue| with_the_lock_held(hall, cue, 2),
        ),
        scenario(
            "condition: notify_all with the lock, a crowd asleep",
            |scene| asleep(scene, CROWD, CROWD),
            |hall, cue| with_the_lock_held(hall, cue, u32::MAX),
        ),
    ]
}

fn with_the_lock_held(hall: &Hall, cue: &Cue, n: u32) {
    let guard = take(hall);
    cue.begin();
    hall.condition.notify(n);
    guard.write();
    drop(guard);
    cue.end();
}

// ---- With somebody who comes just then ---------------------------------------------------------------

/// A waiter falls asleep after each instruction of a notify. It may be notified or not; the next
/// notify reaches it.
fn with_a_newcomer() -> Vec<Scenario<Hall>> {
    let dying = |name, before, victim| Scenario {
        before,
        look: one_more_comes,
        after: all_wake_and_leave,
        ..scenario(name, victim)
    };
    let spared = |name, before, victim| Scenario {
        dies: false,
        ..dying(name, before, victim)
    };
    vec![
        dying(
            "condition: notify_one, two asleep, one more comes",
            |scene| asleep(scene, 2, 1),
            one,
        ),
        dying(
            "condition: notify_all, one asleep, one more comes",
            |scene| asleep(scene, 1, 1),
            everybody,
        ),
        dying(
            "condition: notify_all, one was killed, one more comes",
            one_was_killed,
            everybody,
        ),
        spared(
            "condition: notify_one, one more comes, nobody dies",
            |scene| asleep(scene, 2, 1),
            one,
        ),
        spared(
            "condition: notify_all, one more comes, nobody dies",
            |scene| asleep(scene, 1, 1),
            everybody,
        ),
        spared(
            "condition: notify_all of nobody, one more comes",
            one_was_killed,
            everybody,
        ),
    ]
}

fn one_more_comes(scene: &mut Scene<'_, Hall>) -> Outcome {
    look(scene)?;
    scene.others.set(scene.others.get() + 1);
    scene.start(sleeper);
    scene.until("they sleep or have returned", |hall| {
        hall.sleepers() + hall.returned() == hall.others.get()
    })
}

// ---- With somebody who was woken and dies, too -------------------------------------------------------

/// Its death, asleep or just woken, ends all waits.
fn with_a_woken_one() -> Vec<Scenario<Hall>> {
    let scenario = |name, after, victim| Scenario {
        before: one_stands_when_woken,
        after,
        ..scenario(name, victim)
    };
    vec![
        scenario("condition: notify_one, the woken one dies", both_die, one),
        scenario("condition: notify(2), the woken one dies", both_die, two),
        scenario(
            "condition: notify_one, the woken one goes on",
            one_dies,
            one,
        ),
    ]
}

fn one_stands_when_woken(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.start_puppet(|hall, cue| {
        let mut guard = take(hall);
        cue.begin();
        let poisoned = hall.condition.wait(&mut guard).is_err();
        super::use_it(hall, &guard, poisoned);
        drop(guard);
        cue.end();
    })?;
    scene.due.set(1);
    fall_asleep(scene, 1)
}

fn both_die(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.kill_puppets();
    all_due_return(scene, AT_ONCE)?;
    all_wake_and_leave(scene)
}

fn one_dies(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.run(super::crier)?;
    scene.let_puppets_go()?;
    all_wake_and_leave(scene)
}
