//! [`Lock`]: killed in every role. Here are the stage, the roles, and what the verdicts rest on.

mod acquiring;
mod poison;
mod releasing;
mod threads;
mod two;
mod woken;

use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::Trial;
use procsync::{AcquireError, Lock, LockGuard};

use crate::common::{Child, Gate, Plain};
use crate::harness::{Outcome, Scenario};
use crate::ledger::{Ledger, Log};
use crate::scene::{Scene, Trouble, ended_well, require};
use crate::stepper::Cue;

#[repr(C)]
struct Room {
    lock: Lock<Ledger>,
    log: Log,
}

#[repr(C)]
struct House {
    room: Room,
    other: Room,
    warm: Lock<u32>,
    /// Opened by the holder when it has the room, and when it has it again.
    held: Gate,
    held_again: Gate,
    /// Tell the holder to go on.
    let_go: Gate,
    let_go_again: Gate,
    holder_is_dead: AtomicU32,
    /// The process that is forking now.
    forker: AtomicU32,
}

// SAFETY: all fields are.
unsafe impl Plain for Room {}
// SAFETY: all fields are.
unsafe impl Plain for House {}

const fn scenario(name: &'static str, victim: fn(&House, &Cue)) -> Scenario<House> {
    Scenario {
        look,
        after: everybody_goes_on,
        show,
        ..Scenario::new(name, victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = acquiring::alone();
    all.extend(releasing::releasing());
    all.extend(acquiring::waiting());
    all.extend(acquiring::giving_up());
    all.extend(poison::poisoned());
    all.extend(two::with_two_locks());
    all.extend(woken::with_a_woken_one());
    all.extend(releasing::with_a_newcomer());
    all.push(threads::forking());
    all.push(threads::leaking());
    crate::as_trials(all)
}

// ---- Roles -----------------------------------------------------------------------------------------

fn take<T>(lock: &Lock<T>) -> LockGuard<'_, T> {
    lock.acquire()
        .or_else(|error| error.into_guard().ok_or("not acquired"))
        .expect("a lock can be had, poisoned or not")
}

/// Acquires, notes the state it was in, leaves the data sound, and releases.
fn visit(room: &Room) {
    let (guard, poisoned) = match room.lock.acquire() {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("a survivor was refused: {error}"),
    };
    room.log.note(poisoned);
    if poisoned {
        guard.repair();
    }
    guard.check_and_write();
}

fn visitor(house: &House) {
    visit(&house.room);
}

fn other_visitor(house: &House) {
    visit(&house.other);
}

/// Holds the room until told to let go.
fn holder(house: &House) {
    let guard = take(&house.room.lock);
    house.held.open();
    house.let_go.wait();
    guard.check_and_write();
}

fn holder_of_both(house: &House) {
    let _other = take(&house.other.lock);
    holder(house);
}

/// Lets go, and takes the room again before anybody whom that woke.
fn greedy_holder(house: &House) {
    holder(house);
    let guard = take(&house.room.lock);
    house.held_again.open();
    house.let_go_again.wait();
    guard.check_and_write();
}

fn dies_while_holding(house: &House) {
    let guard = take(&house.room.lock);
    guard.write_half();
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}

/// So that the thread's first steps are not the victim's, nor the first use of this lock in this
/// memory.
fn warm_up(house: &House) {
    drop(take(&house.warm));
}

fn warm_up_all(house: &House) {
    warm_up(house);
    drop(take(&house.room.lock));
    drop(take(&house.other.lock));
}

fn acquire_and_write(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    take(&house.room.lock).write();
    cue.end();
}

// ---- Who else is there -----------------------------------------------------------------------------

fn fall_asleep(scene: &mut Scene<'_, House>, count: usize) -> Outcome {
    let others = scene.room.lock.waiters();
    for _ in 0..count {
        scene.start(visitor);
    }
    scene.until("they sleep", |house| {
        house.room.lock.waiters() == others + count
    })
}

fn killed_asleep(scene: &mut Scene<'_, House>) -> Outcome {
    let waiter = scene.fork(visitor);
    scene.until("it sleeps", |house| house.room.lock.waiters() == 1)?;
    waiter.kill();
    Ok(())
}

/// The word says that somebody may sleep, and nobody does.
fn leave_waiters_behind(scene: &mut Scene<'_, House>) -> Outcome {
    let holder = hold(scene, holder)?;
    killed_asleep(scene)?;
    scene.let_go.open();
    ended_well(holder)
}

fn hold(scene: &mut Scene<'_, House>, role: fn(&House)) -> Result<Child, Trouble> {
    let holder = scene.fork(role);
    scene.until("it holds", |house| house.held.is_open())?;
    Ok(holder)
}

/// Somebody has waited already, so that whoever comes next does not spin before it sleeps: 1400
/// more instructions, which the scenario of the fresh holder goes through.
fn keep_held(scene: &mut Scene<'_, House>, role: fn(&House)) -> Outcome {
    keep_held_fresh(scene, role)?;
    killed_asleep(scene)
}

fn keep_held_fresh(scene: &mut Scene<'_, House>, role: fn(&House)) -> Outcome {
    scene.start(role);
    scene.until("it holds", |house| house.held.is_open())
}

/// The first peer, once.
fn kill_holder(scene: &mut Scene<'_, House>) {
    if scene.holder_is_dead.swap(1, Ordering::SeqCst) == 0 {
        scene.room.log.expect_poison_from_now();
        scene.kill_peer(0);
    }
}

// ---- What the verdicts rest on ---------------------------------------------------------------------

fn look(scene: &mut Scene<'_, House>) -> Outcome {
    for room in [&scene.room, &scene.other] {
        if room.lock.owner() == Some(scene.victim) {
            room.log.expect_poison_from_now();
        }
    }
    Ok(())
}

fn everybody_goes_on(scene: &mut Scene<'_, House>) -> Outcome {
    scene.let_go.open();
    scene.let_go_again.open();
    scene.join_all()?;
    scene.run(visitor)?;
    scene.run(other_visitor)?;
    all_is_well(scene)
}

fn all_is_well(house: &House) -> Outcome {
    for room in [&house.room, &house.other] {
        room.log.check()?;
        require(!room.lock.is_locked(), || "the lock is held".into())?;
        require(room.lock.waiters() == 0, || "somebody sleeps".into())?;
    }
    Ok(())
}

fn show(house: &House) -> String {
    format!("room {}, other {}", word(&house.room), word(&house.other))
}

fn word(room: &Room) -> String {
    // SAFETY: a lock begins with its word.
    let word = unsafe { &*(&raw const room.lock).cast::<AtomicU32>() };
    format!("{:#010x}", word.load(Ordering::SeqCst))
}
