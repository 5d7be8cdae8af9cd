//! [`Condition`]: killed in every role.

mod notifying;
mod rlock;
mod waiting;

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use procsync::{AcquireError, Condition, Lock, LockGuard};

use crate::common::{Gate, Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::ledger::{Ledger, Log};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = waiting::trials();
    all.extend(notifying::trials());
    all.extend(rlock::trials());
    all
}

#[repr(C)]
struct Hall {
    condition: Condition,
    lock: Lock<Ledger>,
    log: Log,
    /// What those wait for who wait for something.
    ready: AtomicU32,
    /// How many survivors' waits have ended.
    returned: AtomicU32,
    /// Opened by the holder when it has the lock; tells it to go on.
    held: Gate,
    let_go: Gate,
    /// How many survivors were asleep at first.
    others: Cell<u32>,
    /// So many waits end, if the victim dies, by whatever was notified and by what that one passed on.
    due: Cell<u32>,
    /// Whether they must end as it is, without another notify.
    is_owed: Cell<bool>,
}

// SAFETY: all fields are, and zeros are a condition and `false`.
unsafe impl Plain for Hall {}

/// What a survivor may have to wait for what a dead one was notified of: a round, and something for
/// the machine.
const A_ROUND: Duration = Duration::from_millis(1500);
/// Without a round.
const AT_ONCE: Duration = Duration::from_millis(700);

impl Hall {
    fn returned(&self) -> u32 {
        self.returned.load(Ordering::SeqCst)
    }

    fn sleepers(&self) -> u32 {
        u32::try_from(sleepers(&self.condition)).expect("few sleep")
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst) != 0
    }
}

const fn scenario(name: &'static str, victim: fn(&Hall, &Cue)) -> Scenario<Hall> {
    Scenario {
        look,
        after: everybody_goes_on,
        show,
        ..Scenario::new(name, victim)
    }
}

fn show(hall: &Hall) -> String {
    // SAFETY: a condition is eight words.
    let words: &[AtomicU32; 8] = unsafe { &*(&raw const hall.condition).cast() };
    format!(
        "{} of {} returned, {} due, {} asleep, owner {:?}, {words:x?}",
        hall.returned(),
        hall.others.get(),
        hall.due.get(),
        hall.sleepers(),
        hall.lock.owner(),
    )
}

// ---- Roles -----------------------------------------------------------------------------------------

fn take(hall: &Hall) -> LockGuard<'_, Ledger> {
    hall.lock
        .acquire()
        .or_else(|error| error.into_guard().ok_or("not acquired"))
        .expect("a lock can be had, poisoned or not")
}

/// Notes the state that the lock was in, and leaves the data sound.
fn use_it(hall: &Hall, guard: &LockGuard<'_, Ledger>, poisoned: bool) {
    hall.log.note(poisoned);
    if poisoned {
        guard.repair();
    }
    guard.check_and_write();
}

fn sleeper(hall: &Hall) {
    let mut guard = take(hall);
    let poisoned = hall.condition.wait(&mut guard).is_err();
    hall.returned.fetch_add(1, Ordering::SeqCst);
    use_it(hall, &guard, poisoned);
}

fn visit(hall: &Hall) -> LockGuard<'_, Ledger> {
    let (guard, poisoned) = match hall.lock.acquire() {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("a survivor was refused: {error}"),
    };
    use_it(hall, &guard, poisoned);
    guard
}

fn visitor(hall: &Hall) {
    drop(visit(hall));
}

/// Notifies all, with the lock.
fn crier(hall: &Hall) {
    let _guard = visit(hall);
    hall.condition.notify_all();
}

fn holder(hall: &Hall) {
    let guard = take(hall);
    hall.held.open();
    hall.let_go.wait();
    guard.check_and_write();
}

fn fall_asleep(scene: &mut Scene<'_, Hall>, count: u32) -> Outcome {
    let all = scene.sleepers() + count;
    for _ in 0..count {
        // One by one: in the order of their numbers.
        let one_more = scene.sleepers() + 1;
        scene.start(sleeper);
        scene.others.set(scene.others.get() + 1);
        scene.until("one more sleeps", |hall| hall.sleepers() == one_more)?;
    }
    scene.until("they sleep", |hall| hall.sleepers() == all)
}

fn keep_held(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.start(holder);
    scene.until("it holds", |hall| hall.held.is_open())
}

// ---- What the verdicts rest on -----------------------------------------------------------------------

/// If the victim has the lock, that is poisoned now.
fn look(scene: &mut Scene<'_, Hall>) -> Outcome {
    if scene.lock.owner() == Some(scene.victim) {
        scene.log.expect_poison_from_now();
    }
    Ok(())
}

fn everybody_goes_on(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.let_go.open();
    if scene.is_owed.get() {
        all_due_return(scene, A_ROUND)?;
    }
    all_wake_and_leave(scene)
}

/// Without another notify. The time is what this process had of a processor while it looked: less on a
/// busy machine, where everybody takes longer.
fn all_due_return(scene: &Scene<'_, Hall>, bound: Duration) -> Outcome {
    let begun = processor_time();
    scene.until("what a dead one was notified of is passed on", |hall| {
        hall.returned() >= hall.due.get()
    })?;
    let took = processor_time().saturating_sub(begun);
    require(took <= bound, || format!("a survivor waited {took:?}"))
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// A survivor's notify reaches all, and everything is as new.
fn all_wake_and_leave(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.run(crier)?;
    scene.join_all()?;
    scene.run(visitor)?;
    scene.log.check()?;
    require(!scene.lock.is_locked(), || "the lock is held".into())?;
    require(scene.lock.waiters() == 0, || {
        "somebody waits for the lock".into()
    })?;
    require(scene.sleepers() == 0, || "somebody sleeps".into())
}
