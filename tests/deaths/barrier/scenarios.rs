//! Who is killed where.

use std::sync::atomic::Ordering;
use std::time::Duration;

use libtest_mimic::Trial;

use super::{
    Fate, Square, all_meet, asleep_at_first, fall_asleep, killed_asleep, last_one_comes, look,
    party, scenario, used_before,
};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = arriving();
    all.extend(giving_up());
    all.extend(acting());
    all.extend(mourning());
    all.extend(leaving());
    all.extend(ending());
    all.extend(after_a_lonely_death());
    crate::as_trials(all)
}

/// So that the thread's first steps are not the victim's.
fn warm_up() {
    let elsewhere = crate::common::Mapped::<procsync::Lock<()>>::zeroed();
    let _ = elsewhere.acquire();
}

fn wait(square: &Square, cue: &Cue) {
    warm_up();
    cue.begin();
    let result = square.barrier().wait();
    square.note_victims(result);
    cue.end();
}

fn once(n: u32, disturb: impl FnOnce() -> Outcome) -> Outcome {
    if n == 1 { disturb() } else { Ok(()) }
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

/// Longer than the victim takes to fall asleep, step by step.
const SOON: Duration = Duration::from_millis(15);

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

// ---- Another's death ---------------------------------------------------------------------------------

/// The victim is who notices it.
fn mourning() -> Vec<Scenario<Square>> {
    vec![
        Scenario {
            before: |scene| asleep_at_first(scene, 1),
            asleep: |scene, n| once(n, || kill_first(scene)),
            ..scenario("barrier: wait, the first of three dies", wait)
        },
        Scenario {
            before: |scene| used_before(scene, 3),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    kill_first(scene)
                })
            },
            ..scenario("barrier: wait, the second of three dies", wait)
        },
        Scenario {
            before: |scene| {
                scene.build_for(4);
                fall_asleep(scene, 1)
            },
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    kill_first(scene)
                })
            },
            ..scenario("barrier: wait, the first of four dies, one asleep", wait)
        },
        Scenario {
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 2)?;
                    kill_first(scene)
                })
            },
            before: |scene| used_before(scene, 4),
            ..scenario("barrier: wait, another of four dies, one asleep", wait)
        },
    ]
}

/// Of the others.
fn kill_first(scene: &mut Scene<'_, Square>) -> Outcome {
    scene.is_doomed.set(1);
    scene.others.set(scene.others.get() - 1);
    scene.kill_peer(0);
    Ok(())
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

// ---- Reset and abort ---------------------------------------------------------------------------------

fn ending() -> Vec<Scenario<Square>> {
    let broken = |scene: &mut Scene<'_, Square>| {
        scene.build();
        scene.run(|square| square.barrier().abort())
    };
    let resetting = |name, before| Scenario {
        before,
        look: look_at_reset,
        ..scenario(name, reset)
    };
    let aborting = |name, before| Scenario {
        before,
        look: |scene| {
            look(scene)?;
            require(!scene.ended || scene.barrier().is_broken(), || {
                "aborted, and not broken".into()
            })
        },
        ..scenario(name, abort)
    };
    vec![
        resetting("barrier: reset, two asleep", |scene| {
            asleep_at_first(scene, 2)
        }),
        resetting("barrier: reset, broken", broken),
        resetting("barrier: reset, one died alone", killed_asleep),
        aborting("barrier: abort, two asleep", |scene| {
            asleep_at_first(scene, 2)
        }),
        aborting("barrier: abort, nobody there", |scene| {
            asleep_at_first(scene, 0)
        }),
        aborting("barrier: abort, one died alone", killed_asleep),
    ]
}

fn reset(square: &Square, cue: &Cue) {
    warm_up();
    cue.begin();
    square.barrier().reset();
    cue.end();
}

fn abort(square: &Square, cue: &Cue) {
    warm_up();
    cue.begin();
    square.barrier().abort();
    cue.end();
}

fn look_at_reset(scene: &mut Scene<'_, Square>) -> Outcome {
    let barrier = scene.barrier();
    let others = scene.others.get();
    let fate = if scene.ended {
        Fate::Reset
    } else if !barrier.is_broken() && barrier.waiting() == others {
        Fate::Open
    } else {
        Fate::Ended
    };
    scene.fate.set(fate);
    Ok(())
}

// ---- Where somebody died alone -----------------------------------------------------------------------

/// Who comes next finds out, and tells all who come with it.
fn after_a_lonely_death() -> Vec<Scenario<Square>> {
    vec![
        Scenario {
            before: killed_asleep,
            ..scenario("barrier: wait, one died alone", wait)
        },
        Scenario {
            before: killed_asleep,
            look: two_come,
            ..scenario("barrier: wait, one died alone, two come", wait)
        },
        Scenario {
            before: killed_asleep,
            look: two_come,
            dies: false,
            ..scenario("barrier: wait, one died alone, two come, no more die", wait)
        },
    ]
}

fn two_come(scene: &mut Scene<'_, Square>) -> Outcome {
    scene.fate.set(Fate::Broken);
    scene.others.set(2);
    for _ in 0..2 {
        scene.start(party);
    }
    scene.until("they sleep or are done", |square| {
        square.sleepers() + square.released() + square.broken() == 2
    })?;
    require(scene.released() == 0, || "met with a dead one".into())
}
