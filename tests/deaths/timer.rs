//! [`Timer`]: killed in every role.
//!
//! A run ends in one way, and all who wait for it are told the same: that it fired, that it was
//! cancelled, or that the thread that ran it is dead. The function was called if it fired, and never
//! where it was cancelled. Then the timer can be reset and run again.

mod cancelling;
mod running;
mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use procsync::{Timer, TimerOutcome, TimerState};

use crate::common::{Gate, Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

/// What it is doing, as seen by those who waited for its end.
const STATES: [TimerState; 6] = [
    TimerState::Idle,
    TimerState::Armed,
    TimerState::Running,
    TimerState::Fired,
    TimerState::Cancelled,
    TimerState::Abandoned,
];

#[repr(C)]
struct Kitchen {
    timer: Timer,
    warm: Timer,
    /// How often the function was called.
    rung: AtomicU32,
    /// How often `cancel` answered that it was this call.
    cancelled: AtomicU32,
    /// How often a wait ended in which of the [`STATES`].
    told: [AtomicU32; STATES.len()],
    /// Survivors who came to wait.
    came: AtomicU32,
    /// Opened by a function that is being called; it ends when told.
    rings: Gate,
    enough: Gate,
    /// The one who ran it was killed.
    runner_is_dead: AtomicU32,
}

// SAFETY: zeros are idle timers, and the others are.
unsafe impl Plain for Kitchen {}

const fn scenario(name: &'static str, victim: fn(&Kitchen, &Cue)) -> Scenario<Kitchen> {
    Scenario {
        before: used_before,
        after: all_are_told,
        show,
        ..Scenario::new(name, victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = running::alone();
    all.extend(running::with_sleepers());
    all.extend(running::ended_by_others());
    all.extend(cancelling::at_all_times());
    all.extend(cancelling::just_then());
    all.extend(waiting::woken());
    all.extend(waiting::giving_up());
    all.extend(waiting::looking());
    all.extend(waiting::resetting());
    crate::as_trials(all)
}

// ---- Roles -----------------------------------------------------------------------------------------

const SHORT: Duration = Duration::from_millis(2);
/// Nobody lives to see its end.
const LONG: Duration = Duration::from_secs(1000);

fn ring(kitchen: &Kitchen) {
    kitchen.rung.fetch_add(1, Ordering::SeqCst);
}

fn waiter(kitchen: &Kitchen) {
    note(kitchen, kitchen.timer.wait());
}

fn note(kitchen: &Kitchen, state: TimerState) {
    assert!(state.is_finished(), "the wait is over, and it is {state:?}");
    let told = STATES.iter().zip(&kitchen.told);
    for (_, count) in told.filter(|(known, _)| **known == state) {
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs it until somebody cancels it, or kills the one who runs it.
fn long_runner(kitchen: &Kitchen) {
    let outcome = kitchen.timer.run(LONG, || ring(kitchen)).ok();
    assert_eq!(outcome, Some(TimerOutcome::Cancelled));
}

fn short_runner(kitchen: &Kitchen) {
    let outcome = kitchen.timer.run(SHORT, || ring(kitchen)).ok();
    let answer = if kitchen.rung.load(Ordering::SeqCst) == 1 {
        TimerOutcome::Fired
    } else {
        TimerOutcome::Cancelled
    };
    assert_eq!(outcome, Some(answer));
}

/// Its function takes until it is told that it is enough.
fn ringing_runner(kitchen: &Kitchen) {
    let outcome = kitchen.timer.run(Duration::ZERO, || {
        ring(kitchen);
        kitchen.rings.open();
        kitchen.enough.wait();
    });
    assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
}

fn canceller(kitchen: &Kitchen) {
    let cancelled = kitchen.timer.cancel();
    kitchen
        .cancelled
        .fetch_add(u32::from(cancelled), Ordering::SeqCst);
}

/// The lock in it knows its place by now, so nobody is stepped through finding it.
fn used_before(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    scene.run(|kitchen| {
        use_up(&kitchen.timer);
        use_up(&kitchen.warm);
    })
}

fn use_up(timer: &Timer) {
    let outcome = timer.run(Duration::ZERO, || ());
    assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
    assert!(timer.reset());
}

/// So that the thread's first steps are not the victim's.
fn warm_up(kitchen: &Kitchen) {
    use_up(&kitchen.warm);
}

/// What a survivor can still do with it, whatever became of the last run.
fn run_again(kitchen: &Kitchen) {
    let timer = &kitchen.timer;
    assert!(!timer.state().is_finished() || timer.reset());
    assert_eq!(timer.state(), TimerState::Idle);
    let rung = kitchen.rung.load(Ordering::SeqCst);
    let outcome = timer.run(SHORT, || ring(kitchen));
    assert_eq!(outcome.ok(), Some(TimerOutcome::Fired));
    assert_eq!(kitchen.rung.load(Ordering::SeqCst), rung + 1);
    assert!(timer.reset());
    assert!(timer.cancel());
    assert!(!timer.cancel());
    let outcome = timer.run(SHORT, || ring(kitchen));
    assert_eq!(outcome.ok(), Some(TimerOutcome::Cancelled));
}

// ---- Who is there --------------------------------------------------------------------------------------

/// The first peer runs it.
fn start_runner(scene: &mut Scene<'_, Kitchen>, role: fn(&Kitchen)) -> Outcome {
    used_before(scene)?;
    scene.start(role);
    scene.until("it runs", |kitchen| {
        kitchen.rings.is_open() || phase(kitchen) == ARMED && kitchen.asleep() == 1
    })
}

/// The first peer, once.
fn kill_runner(scene: &mut Scene<'_, Kitchen>) {
    if scene.runner_is_dead.swap(1, Ordering::SeqCst) == 0 {
        scene.kill_peer(0);
    }
}

/// So many come and sleep.
fn fall_asleep(scene: &mut Scene<'_, Kitchen>, count: u32) -> Outcome {
    (0..count).try_for_each(|_| one_more_comes(scene))
}

/// One who then sleeps, or has been told.
fn one_more_comes(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    let others = scene.asleep();
    scene.came.fetch_add(1, Ordering::SeqCst);
    let waiter = scene.fork(waiter);
    let is_placed = |kitchen: &Kitchen| kitchen.asleep() > others || waiter.has_ended();
    scene.until("it sleeps or is done", is_placed)?;
    scene.adopt(waiter);
    Ok(())
}

/// The same while others may wake up, so that sleepers cannot be counted.
fn one_comes_soon(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    scene.came.fetch_add(1, Ordering::SeqCst);
    let waiter = scene.fork(waiter);
    let sleeps = || crate::stepper::sleeps(waiter.pid(), waiter.pid());
    scene.until("it sleeps or is done", |_| sleeps() || waiter.has_ended())?;
    scene.adopt(waiter);
    Ok(())
}

impl Kitchen {
    fn asleep(&self) -> usize {
        sleepers(&self.timer)
    }
}

const IDLE: u32 = 0;
const ARMED: u32 = 1;

/// What it is doing, as bits 0 to 2 of its first word have it: to call `state` would see to it that
/// others are woken, and they are to be woken without.
fn phase(kitchen: &Kitchen) -> u32 {
    let word = std::ptr::from_ref(&kitchen.timer).cast::<AtomicU32>();
    // SAFETY: a timer begins with its state, an atomic.
    let word = unsafe { &*word };
    word.load(Ordering::SeqCst) & 7
}

// ---- The verdict -------------------------------------------------------------------------------------

/// Where a runner lives who would wait for ever, a survivor cancels.
fn all_are_told_once_cancelled(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    let lives = scene.runner_is_dead.load(Ordering::SeqCst) == 0;
    if lives && phase(scene) == ARMED {
        scene.run(canceller)?;
    }
    all_are_told(scene)
}

/// Without help from anybody, unless it was never begun.
fn all_are_told(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    if phase(scene) == IDLE {
        scene.run(short_runner)?;
    }
    scene.enough.open();
    scene.join_all()?;
    scene.came.fetch_add(1, Ordering::SeqCst);
    scene.run(waiter)?;
    all_are_told_the_truth(scene)?;
    scene.run(run_again)
}

fn all_are_told_the_truth(kitchen: &Kitchen) -> Outcome {
    let count = |count: &AtomicU32| count.load(Ordering::SeqCst);
    let came = count(&kitchen.came);
    let told = STATES.iter().zip(&kitchen.told);
    let end = told
        .filter(|(_, told)| count(told) == came)
        .map(|(end, _)| *end);
    let end = end.last();
    let (rung, cancelled) = (count(&kitchen.rung), count(&kitchen.cancelled));
    let is_true = match end {
        Some(TimerState::Fired) => rung == 1 && cancelled == 0,
        Some(TimerState::Cancelled) => rung == 0 && cancelled <= 1,
        Some(TimerState::Abandoned) => {
            rung <= 1 && cancelled == 0 && count(&kitchen.runner_is_dead) == 1
        }
        _ => false,
    };
    require(is_true, || format!("{end:?} was the end for all"))
}

/// The victim has run it.
fn look_at_runner(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    scene.runner_is_dead.store(1, Ordering::SeqCst);
    Ok(())
}

fn show(kitchen: &Kitchen) -> String {
    let told = kitchen.told.iter().map(|told| told.load(Ordering::SeqCst));
    format!(
        "phase {}, {} asleep, rung {} times, cancelled {} times, {} came and were told {:?}",
        phase(kitchen),
        kitchen.asleep(),
        kitchen.rung.load(Ordering::SeqCst),
        kitchen.cancelled.load(Ordering::SeqCst),
        kitchen.came.load(Ordering::SeqCst),
        told.collect::<Vec<_>>()
    )
}
