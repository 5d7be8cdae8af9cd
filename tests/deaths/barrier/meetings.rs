//! The victim is one of those who meet.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{
    Fate, Square, all_meet, asleep_at_first, fall_asleep, last_one_comes, look, party, scenario,
    used_before, wait, warm_up,
};
use crate::harness::{Outcome, SOON, Scenario, once};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(super) fn scenarios() -> Vec<Scenario<Square>> {
    let mut all = arriving();
    all.extend(giving_up());
    all.extend(acting());
    all.extend(leaving());
    all
}

/// The victim, asleep, is the first.
fn both_others_come(scene: &mut Scene<'_, Square>, n: u32) -> Outcome {
    once(n, || {
        fall_asleep(scene, 1)?;
        last_one_comes(scene)
    })
}

/// The victim, asleep, is the second.
fn the_other_one_comes(scene: &mut Scene<'_, Square>, n: u32) -> Outcome {
    once(n, || last_one_comes(scene))
}

// ---- The three places in a meeting -------------------------------------------------------------------

fn arriving() -> Vec<Scenario<Square>> {
    vec![
        Scenario {
            asleep: both_others_come,
            ..scenario("barrier: wait, the first of three", wait)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 1),
            asleep: the_other_one_comes,
            ..scenario("barrier: wait, the second of three", wait)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 2),
            ..scenario("barrier: wait, the last of three", wait)
        },
        Scenario {
            before: |scene| {
                used_before(scene, 3)?;
                scene.run(|square| square.barrier().abort())
            },
            ..scenario("barrier: wait, broken already", wait)
        },
    ]
}

// ---- A timeout ---------------------------------------------------------------------------------------

fn giving_up() -> Vec<Scenario<Square>> {
    vec![
        Scenario {
            before: |scene| used_before(scene, 3),
            ..scenario("barrier: wait, times out, alone", wait_soon)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 1),
            ..scenario("barrier: wait, times out, one asleep ahead", wait_soon)
        },
        Scenario {
            before: |scene| used_before(scene, 3),
            asleep: |scene, n| {
                once(n, || {
                    scene.others.set(1);
                    scene.start_asleep(party)
                })
            },
            ..scenario("barrier: wait, times out, one asleep behind", wait_soon)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 1),
            ..scenario("barrier: timeout of zero, one asleep", |square, cue| {
                warm_up();
                cue.begin();
                let result = square.barrier().wait_timeout(Duration::ZERO);
                square.note_victims(result);
                cue.end();
            })
        },
    ]
}

fn wait_soon(square: &Square, cue: &Cue) {
    warm_up();
    cue.begin();
    let result = square.barrier().wait_timeout(SOON);
    square.note_victims(result);
    cue.end();
}

// ---- With an action ----------------------------------------------------------------------------------

fn acting() -> Vec<Scenario<Square>> {
    vec![
        Scenario {
            before: |scene| asleep_at_first(scene, 2),
            look: look_at_action,
            ..scenario("barrier: action, two asleep", act)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 2),
            look: |scene| {
                look_at_action(scene)?;
                one_more_comes(scene)
            },
            ..scenario("barrier: action, two asleep, one more comes", act)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 2),
            look: |scene| {
                look_at_action(scene)?;
                one_more_comes_where_nobody_dies(scene)
            },
            dies: false,
            after: nobody_died,
            ..scenario("barrier: action, one more comes, nobody dies", act)
        },
        Scenario {
            before: |scene| asleep_at_first(scene, 1),
            asleep: the_other_one_comes,
            ..scenario("barrier: wait with an action, second of three", act)
        },
    ]
}

fn act(square: &Square, cue: &Cue) {
    warm_up();
    cue.begin();
    let result = square.barrier().wait_with_action(|| {
        square.acted.fetch_add(1, Ordering::SeqCst);
    });
    square.note_victims(result);
    cue.end();
}

fn look_at_action(scene: &mut Scene<'_, Square>) -> Outcome {
    look(scene)?;
    let acted = scene.acted.load(Ordering::SeqCst);
    let was_released = scene.fate.get() == Fate::Released;
    require(acted <= 1 && (acted == 1 || !was_released), || {
        format!("{acted} actions, {:?}", scene.fate.get())
    })
}

/// While the action runs it waits for its end; before, it is the last of the victim's meeting itself.
fn one_more_comes(scene: &mut Scene<'_, Square>) -> Outcome {
    match scene.fate.get() {
        Fate::Open => {
            last_one_comes(scene)?;
            scene.fate.set(Fate::Released);
            Ok(())
        }
        Fate::Released => begin_the_next(scene, 1),
        _ => fall_asleep(scene, 1),
    }
}

fn one_more_comes_where_nobody_dies(scene: &mut Scene<'_, Square>) -> Outcome {
    match scene.fate.get() {
        Fate::Open => Ok(()),
        Fate::Released => begin_the_next(scene, 1),
        _ => {
            scene.early.set(1);
            let all = scene.sleepers() + 1;
            scene.start(party);
            scene.until("it sleeps", |square| square.sleepers() == all)
        }
    }
}

// ---- The next meeting begins -------------------------------------------------------------------------

fn leaving() -> Vec<Scenario<Square>> {
    let dying = |scene: &mut Scene<'_, Square>| {
        look(scene)?;
        the_next_begins(scene)
    };
    let scenario = |name, before, asleep| Scenario {
        before,
        asleep,
        look: dying,
        ..scenario(name, wait)
    };
    let spared = |scenario| Scenario {
        dies: false,
        after: nobody_died,
        ..scenario
    };
    let spared_asleep = |scenario| Scenario {
        look: |scene| {
            look(scene)?;
            the_meeting_takes_place(scene)?;
            the_next_begins(scene)
        },
        ..spared(scenario)
    };
    vec![
        scenario(
            "barrier: leave as the first, the next begins",
            |scene| used_before(scene, 3),
            both_others_come,
        ),
        scenario(
            "barrier: leave as the second, the next begins",
            |scene| asleep_at_first(scene, 1),
            the_other_one_comes,
        ),
        scenario(
            "barrier: leave as the last, the next begins",
            |scene| asleep_at_first(scene, 2),
            |_, _| Ok(()),
        ),
        spared_asleep(scenario(
            "barrier: leave as the second, nobody dies",
            |scene| asleep_at_first(scene, 1),
            the_other_one_comes,
        )),
        spared(scenario(
            "barrier: leave as the last, nobody dies",
            |scene| asleep_at_first(scene, 2),
            |_, _| Ok(()),
        )),
    ]
}

/// The last one comes, if it is not here yet, and waits for the victim, if that has not come.
fn the_meeting_takes_place(scene: &mut Scene<'_, Square>) -> Outcome {
    if scene.fate.get() != Fate::Released {
        scene.others.set(scene.others.get() + 1);
        scene.start(party);
    }
    Ok(())
}

fn the_next_begins(scene: &mut Scene<'_, Square>) -> Outcome {
    if scene.fate.get() == Fate::Released {
        begin_the_next(scene, 2)?;
    }
    Ok(())
}

/// Without the victim, which may have yet to wake those who are released.
fn begin_the_next(scene: &mut Scene<'_, Square>, count: u32) -> Outcome {
    scene.early.set(count);
    for _ in 0..count {
        scene.start(party);
    }
    let all = scene.others.get() + count;
    scene.until("they sleep", |square| {
        square.sleepers() + square.released() == all
    })
}

/// The victim went on, too, and all is as if it had not been looked at.
fn nobody_died(scene: &mut Scene<'_, Square>) -> Outcome {
    let (others, early) = (scene.others.get(), scene.early.get());
    scene.until("all are released", |square| square.released() == others)?;
    require(scene.victim_met(), || "the victim was not released".into())?;
    all_meet(scene, early, others)
}
