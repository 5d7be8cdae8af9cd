//! Somebody else dies, too; or the victim ends a meeting.

use super::{
    Fate, Square, asleep_at_first, fall_asleep, killed_asleep, look, party, scenario, used_before,
    wait, warm_up,
};
use crate::harness::{Outcome, Scenario, once};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(super) fn scenarios() -> Vec<Scenario<Square>> {
    let mut all = mourning();
    all.extend(ending());
    all.extend(after_a_lonely_death());
    all
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
