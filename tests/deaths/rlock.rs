//! [`RLock`]: what its depth adds. The rest is that of a `Lock`.

use libtest_mimic::Trial;
use procsync::{AcquireError, RLock, RLockGuard};

use crate::common::{Gate, Plain};
use crate::harness::{Outcome, Scenario};
use crate::ledger::{Ledger, Log};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

#[repr(C)]
struct Room {
    lock: RLock<Ledger>,
    log: Log,
    held: Gate,
    let_go: Gate,
}

// SAFETY: all fields are.
unsafe impl Plain for Room {}

const fn scenario(name: &'static str, victim: fn(&Room, &Cue)) -> Scenario<Room> {
    Scenario {
        look,
        after: everybody_goes_on,
        ..Scenario::new(name, victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = alone();
    all.extend(with_others());
    crate::as_trials(all)
}

// ---- Roles -----------------------------------------------------------------------------------------

fn take(room: &Room) -> RLockGuard<'_, Ledger> {
    room.lock
        .acquire()
        .or_else(|error| error.into_guard().ok_or("not acquired"))
        .expect("a lock can be had, poisoned or not")
}

/// Acquires it three times over, notes the state it was in, and releases.
fn visitor(room: &Room) {
    let (outer, poisoned) = match room.lock.acquire() {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("a survivor was refused: {error}"),
    };
    assert_eq!(outer.depth(), 1, "a new owner holds it once");
    room.log.note(poisoned);
    if poisoned {
        outer.repair();
    }
    let inner = [take(room), take(room)];
    assert_eq!(inner[1].depth(), 3);
    outer.check_and_write();
    drop(outer);
    assert_eq!(inner[0].depth(), 2);
}

fn holder(room: &Room) {
    let outer = take(room);
    let inner = take(room);
    room.held.open();
    room.let_go.wait();
    inner.check_and_write();
    drop(inner);
    drop(outer);
}

fn dies_three_deep(room: &Room) {
    let guards = [take(room), take(room), take(room)];
    guards[2].write_half();
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}

fn warm_up(room: &Room) {
    drop(take(room));
}

/// The lock's place is known already; so the thread warms up with one of its own.
fn warm_up_elsewhere() {
    let elsewhere = crate::common::Mapped::<RLock<()>>::zeroed();
    drop(elsewhere.acquire());
}

// ---- What the verdicts rest on -----------------------------------------------------------------------

fn look(scene: &mut Scene<'_, Room>) -> Outcome {
    if scene.lock.owner() == Some(scene.victim) {
        scene.log.expect_poison_from_now();
    }
    Ok(())
}

/// The victim holds it all the time.
fn look_if_held(scene: &mut Scene<'_, Room>) -> Outcome {
    require(scene.lock.owner() == Some(scene.victim), || {
        "the victim lost the lock".into()
    })?;
    look(scene)
}

fn everybody_goes_on(scene: &mut Scene<'_, Room>) -> Outcome {
    scene.let_go.open();
    scene.join_all()?;
    scene.run(visitor)?;
    scene.log.check()?;
    require(!scene.lock.is_locked(), || "the lock is held".into())?;
    require(scene.lock.waiters() == 0, || "somebody sleeps".into())
}

fn fall_asleep(scene: &mut Scene<'_, Room>, count: usize) -> Outcome {
    let others = scene.lock.waiters();
    for _ in 0..count {
        scene.start(visitor);
    }
    scene.until("they sleep", |room| room.lock.waiters() == others + count)
}

/// With `WAITERS` set by one who was killed, so that the next does not spin.
fn keep_held(scene: &mut Scene<'_, Room>) -> Outcome {
    scene.start(holder);
    scene.until("it holds", |room| room.held.is_open())?;
    let waiter = scene.fork(visitor);
    scene.until("it sleeps", |room| room.lock.waiters() == 1)?;
    waiter.kill();
    Ok(())
}

// ---- Nobody there ------------------------------------------------------------------------------------

fn alone() -> Vec<Scenario<Room>> {
    vec![
        scenario("rlock: acquire", |room, cue| {
            warm_up(room);
            cue.begin();
            let guard = take(room);
            cue.end();
            drop(guard);
        }),
        scenario("rlock: release", |room, cue| {
            warm_up(room);
            let guard = take(room);
            cue.begin();
            drop(guard);
            cue.end();
        }),
        scenario(
            "rlock: acquire, write, release, all three times",
            |room, cue| {
                warm_up(room);
                cue.begin();
                let guards = [take(room), take(room), take(room)];
                guards[2].write();
                drop(guards);
                cue.end();
            },
        ),
        Scenario {
            look: look_if_held,
            ..scenario(
                "rlock: acquire, release a second and a third hold",
                |room, cue| {
                    warm_up(room);
                    let _held = take(room);
                    cue.begin();
                    let second = take(room);
                    let third = take(room);
                    third.write();
                    drop(second);
                    drop(third);
                    cue.end();
                    std::process::abort();
                },
            )
        },
        Scenario {
            before: |scene| scene.run(dies_three_deep),
            look: |scene| {
                if scene.lock.is_poisoned() {
                    scene.log.expect_poison_from_now();
                }
                look(scene)
            },
            ..scenario("rlock: repair after a death at depth 3", |room, cue| {
                warm_up_elsewhere();
                cue.begin();
                let outer = take(room);
                if let Ok(inner) = room.lock.acquire_or_repair(Ledger::repair) {
                    inner.write();
                }
                drop(outer);
                cue.end();
            })
        },
    ]
}

// ---- With others ---------------------------------------------------------------------------------------

fn with_others() -> Vec<Scenario<Room>> {
    vec![
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("rlock: release three holds, two wait", |room, cue| {
                warm_up(room);
                let guards = [take(room), take(room), take(room)];
                cue.begin();
                guards[0].write();
                drop(guards);
                cue.end();
            })
        },
        Scenario {
            before: keep_held,
            asleep: |scene, n| {
                if n == 1 {
                    fall_asleep(scene, 1)?;
                    scene.let_go.open();
                }
                Ok(())
            },
            ..scenario("rlock: wait, released, one sleeps behind", wait_and_write)
        },
        Scenario {
            before: keep_held,
            asleep: |scene, n| {
                if n == 1 {
                    fall_asleep(scene, 1)?;
                    scene.log.expect_poison_from_now();
                    scene.kill_peer(0);
                    scene.let_go.open();
                }
                Ok(())
            },
            ..scenario(
                "rlock: wait, holder dies, one sleeps behind",
                wait_and_write,
            )
        },
    ]
}

fn wait_and_write(room: &Room, cue: &Cue) {
    warm_up_elsewhere();
    cue.begin();
    let outer = take(room);
    take(room).write();
    drop(outer);
    cue.end();
}
