//! The victim repairs, clears the poison, or poisons the lock by a panic.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{
    House, dies_while_holding, fall_asleep, holder, keep_held, look, scenario, take, warm_up,
    warm_up_all,
};
use crate::common::OnDrop;
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(super) fn poisoned() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            before: |scene| scene.run(dies_while_holding),
            look: look_at_poison,
            ..scenario("lock: repair after a death", repair)
        },
        Scenario {
            before: |scene| {
                scene.run(dies_while_holding)?;
                scene.run(leaves_it_as_it_is)
            },
            look: look_at_poison,
            ..scenario("lock: repair after a death, seen before", repair)
        },
        Scenario {
            before: |scene| scene.run(dies_between_writes),
            look: look_at_poison,
            ..scenario("lock: clear the mark of death, nobody there", clear)
        },
        Scenario {
            before: |scene| {
                scene.run(dies_between_writes)?;
                keep_held(scene, holder)?;
                fall_asleep(scene, 1)
            },
            look: look_at_poison,
            ..scenario("lock: clear another's poison, one sleeps", clear)
        },
        Scenario {
            staged: |scene| {
                scene.room.log.expect_poison_from_now();
                fall_asleep(scene, 1)
            },
            look: |_| Ok(()),
            ..scenario("lock: release by a panic, one waits", panic_while_holding)
        },
    ]
}

fn leaves_it_as_it_is(house: &House) {
    drop(take(&house.room.lock));
}

fn dies_between_writes(house: &House) {
    let _guard = take(&house.room.lock);
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}

fn repair(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    if let Ok(guard) = house.room.lock.acquire_or_repair(|ledger| ledger.repair()) {
        guard.write();
    }
    cue.end();
}

pub(super) fn clear(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    house.room.lock.clear_poison();
    cue.end();
}

/// The poison that is there goes on to the next one; cleared, it is gone. That the data is sound
/// where there is none, survivors check.
pub(super) fn look_at_poison(scene: &mut Scene<'_, House>) -> Outcome {
    look(scene)?;
    if scene.room.lock.is_poisoned() {
        scene.room.log.expect_poison_from_now();
    }
    require(!(scene.ended && scene.room.lock.is_poisoned()), || {
        "the poison was not cleared".into()
    })
}

/// Steps through the guard's drop while the stack unwinds: locals are dropped last to first.
fn panic_while_holding(house: &House, cue: &Cue) {
    warm_up_all(house);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _end = OnDrop(|| cue.end());
        let _guard = take(&house.room.lock);
        let _begin = OnDrop(|| cue.begin());
        resume_unwind(Box::new(()));
    }));
    drop(result);
}
