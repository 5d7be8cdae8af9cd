//! The victim has to do with two locks, or three: both are recovered, and in any order.

use super::{
    House, fall_asleep, holder, keep_held, look, other_visitor, scenario, take, warm_up,
    warm_up_all,
};
use crate::common::{MUSLS_OFFSET, register_list};
use crate::harness::{Outcome, Scenario, once};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(super) fn with_two_locks() -> Vec<Scenario<House>> {
    vec![
        scenario("lock: two, released last to first", last_to_first),
        scenario("lock: two, on a list like musl's", |house, cue| {
            register_list(MUSLS_OFFSET);
            last_to_first(house, cue);
        }),
        scenario("lock: two, released first to last", |house, cue| {
            warm_up_all(house);
            cue.begin();
            let room = take(&house.room.lock);
            let other = take(&house.other.lock);
            drop(room);
            drop(other);
            cue.end();
        }),
        Scenario {
            look: look_at_other,
            ..scenario("lock: acquire, release under another", |house, cue| {
                warm_up_all(house);
                let _other = take(&house.other.lock);
                cue.begin();
                take(&house.room.lock).write();
                cue.end();
                std::process::abort();
            })
        },
        Scenario {
            look: look_at_other,
            staged: one_asleep_at_each,
            ..scenario(
                "lock: release an older one, one waits for each",
                |house, cue| {
                    warm_up_all(house);
                    let room = take(&house.room.lock);
                    let _other = take(&house.other.lock);
                    cue.begin();
                    drop(room);
                    cue.end();
                    std::process::abort();
                },
            )
        },
        Scenario {
            look: look_at_other,
            staged: |scene| fall_asleep(scene, 1),
            ..scenario(
                "lock: release the middle one of three, one waits for it",
                |house, cue| {
                    warm_up_all(house);
                    let _other = take(&house.other.lock);
                    let room = take(&house.room.lock);
                    let _newest = take(&house.warm);
                    cue.begin();
                    drop(room);
                    cue.end();
                    std::process::abort();
                },
            )
        },
        Scenario {
            look: look_at_other,
            before: |scene| keep_held(scene, holder),
            asleep: |scene, n| {
                once(n, || {
                    one_asleep_at_each(scene)?;
                    scene.let_go.open();
                    Ok(())
                })
            },
            ..scenario(
                "lock: wait under another, one waits for each",
                |house, cue| {
                    warm_up(house);
                    let _other = take(&house.other.lock);
                    cue.begin();
                    take(&house.room.lock).write();
                    cue.end();
                    std::process::abort();
                },
            )
        },
    ]
}

fn last_to_first(house: &House, cue: &Cue) {
    warm_up_all(house);
    cue.begin();
    let room = take(&house.room.lock);
    let other = take(&house.other.lock);
    drop(other);
    drop(room);
    cue.end();
}

fn one_asleep_at_each(scene: &mut Scene<'_, House>) -> Outcome {
    fall_asleep(scene, 1)?;
    scene.start(other_visitor);
    scene.until("it sleeps", |house| house.other.lock.waiters() == 1)
}

/// The other lock is the victim's all the time.
fn look_at_other(scene: &mut Scene<'_, House>) -> Outcome {
    require(scene.other.lock.owner() == Some(scene.victim), || {
        "the victim lost the other lock".into()
    })?;
    look(scene)
}
