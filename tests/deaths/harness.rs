//! Kills a process before every instruction of an operation, and sees what becomes of the others.
//!
//! One trial: the peers that come `before` the victim; the victim, which warms up and stops at its
//! cue; the peers that come while it is `staged`; `k` steps of the victim; a `look` at the stage
//! while it stands still; its death; and `after` that everybody must go on. Trials are made for
//! `k` = 0, 1, 2, … until the operation ends in fewer steps, where the victim is killed, too.
//!
//! A step that sleeps is where the operation may be killed asleep, which is one trial; `asleep` is
//! then called to do what wakes it; another trial kills it at once, as it is being woken.

use std::time::{Duration, Instant};

use crate::common::{Mapped, Plain};
use crate::place::describe;
use crate::scene::{Scene, Trouble};
use crate::stepper::{Cue, Step, Stepper};
use crate::table::Row;

pub(crate) type Outcome = Result<(), Trouble>;

/// A timeout that is longer than the victim, or two more processes, take to fall asleep, step by step.
pub(crate) const SOON: Duration = Duration::from_millis(15);

/// For [`Scenario::asleep`]: only the first sleep is disturbed.
pub(crate) fn once(n: u32, disturb: impl FnOnce() -> Outcome) -> Outcome {
    if n == 1 { disturb() } else { Ok(()) }
}

/// An operation, in a role, with others around. Make one with [`new`](Self::new) and overwrite
/// what is to be different.
pub(crate) struct Scenario<S: 'static> {
    pub(crate) name: &'static str,
    /// Peers that are there before the victim.
    pub(crate) before: fn(&mut Scene<'_, S>) -> Outcome,
    /// Warms up, so that the lazy beginnings of a thread are not stepped through; then does the
    /// operation between [`Cue::begin`] and [`Cue::end`].
    pub(crate) victim: fn(&S, &Cue),
    /// Peers that come while the victim stands at its cue.
    pub(crate) staged: fn(&mut Scene<'_, S>) -> Outcome,
    /// The victim fell asleep, for the `n`th time.
    pub(crate) asleep: fn(&mut Scene<'_, S>, n: u32) -> Outcome,
    /// Just before the death; the victim stands still, others may not.
    pub(crate) look: fn(&mut Scene<'_, S>) -> Outcome,
    /// It dies after `k` steps. Otherwise it goes on at full speed, after the `look`, which may let
    /// others do something just there, and wakes it if it sleeps.
    pub(crate) dies: bool,
    /// The verdict.
    pub(crate) after: fn(&mut Scene<'_, S>) -> Outcome,
    /// What a report of trouble shows of the stage.
    pub(crate) show: fn(&S) -> String,
    /// Kill before every `stride`th instruction only, unless the long form is asked for.
    pub(crate) stride: usize,
}

impl<S> Scenario<S> {
    pub(crate) const fn new(name: &'static str, victim: fn(&S, &Cue)) -> Self {
        Self {
            name,
            before: |_| Ok(()),
            victim,
            staged: |_| Ok(()),
            asleep: |_, _| Ok(()),
            look: |_| Ok(()),
            dies: true,
            after: |scene| scene.join_all(),
            show: |_| String::new(),
            stride: 1,
        }
    }
}

/// What to do when the last step sleeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    KillAsleep,
    KillBeingWoken,
}

/// How far the victim came.
#[derive(Clone, Copy, Default)]
struct Walk {
    ended: bool,
    asleep: bool,
    /// The last step fell asleep, and has not ended that anybody knows of.
    is_unfinished: bool,
    naps: u32,
}

/// So many troubles end a scenario: each may have cost the whole bound.
const TROUBLES_MAX: usize = 3;

/// Makes all trials. The row goes into the table; the troubles, if any, are the error.
pub(crate) fn run<S: Plain>(scenario: &Scenario<S>) -> (Row, Vec<String>) {
    let started = Instant::now();
    let mut stage: Mapped<S> = Mapped::zeroed();
    let mut row = Row::new(scenario.name);
    let mut troubles = Vec::new();
    let mut k = 0;
    let mut manner = Manner::KillAsleep;
    let mut pace = Pace::default();
    while troubles.len() < TROUBLES_MAX {
        let mut walk = Walk::default();
        stage.clear();
        if let Err((trouble, place)) = kill_at(scenario, &stage, k, manner, &mut walk) {
            row.count_trouble(&trouble);
            let state = (scenario.show)(&stage);
            troubles.push(format!(
                "{}, after {k} instructions, at {place}: {trouble}; {state}",
                scenario.name
            ));
        }
        row.count_kill(walk.asleep, walk.naps > u32::from(walk.asleep));
        if let Some(missed) = pace.has_missed_a_sleep(k, walk.naps) {
            (k, manner) = (missed, Manner::KillAsleep);
            continue;
        }
        if walk.ended {
            break;
        }
        (k, manner) = next(k, manner, walk, pace.stride(scenario.stride, k));
    }
    row.seconds = started.elapsed().as_secs_f64();
    (row, troubles)
}

/// The short form kills before each of the first instructions, and then more and more rarely; but before each
/// again where the victim sleeps, and just after.
#[derive(Default)]
struct Pace {
    last: usize,
    naps: u32,
    one_by_one_until: usize,
}

impl Pace {
    /// The victim has slept once more than at the last trial: where to go on, if that was not the
    /// instruction before.
    fn has_missed_a_sleep(&mut self, k: usize, naps: u32) -> Option<usize> {
        const JUST_AFTER: usize = 40;
        let last = std::mem::replace(&mut self.last, k);
        if naps <= self.naps {
            return None;
        }
        self.naps = naps;
        self.one_by_one_until = k + JUST_AFTER;
        (last + 1 < k).then_some(last + 1)
    }

    fn stride(&self, short_form: usize, k: usize) -> usize {
        const ALL_OF_THEM: usize = 300;
        if is_long() || k < self.one_by_one_until {
            1
        } else {
            short_form.max(k / ALL_OF_THEM + 1)
        }
    }
}

pub(crate) fn is_long() -> bool {
    std::env::var_os("PROCSYNC_LONG").is_some_and(|value| value != "0")
}

fn next(k: usize, manner: Manner, walk: Walk, stride: usize) -> (usize, Manner) {
    if walk.asleep && manner == Manner::KillAsleep {
        (k, Manner::KillBeingWoken)
    } else {
        (k + stride, Manner::KillAsleep)
    }
}

/// One trial.
fn kill_at<S: Plain>(
    scenario: &Scenario<S>,
    stage: &Mapped<S>,
    k: usize,
    manner: Manner,
    walk: &mut Walk,
) -> Result<(), (Trouble, String)> {
    let before_it_began = |trouble| (trouble, "its cue".to_owned());
    let cue: Mapped<Cue> = Mapped::zeroed();
    let mut scene = Scene::new(stage);
    (scenario.before)(&mut scene).map_err(before_it_began)?;
    let stepper = Stepper::start(&cue, || (scenario.victim)(stage, &cue))
        .map_err(|astray| before_it_began(astray.into()))?;
    scene.victim = stepper.tid();
    let staged = (scenario.staged)(&mut scene);
    let walked = staged.and_then(|()| steps(scenario, &mut scene, &stepper, &cue, k, manner, walk));
    scene.ended = walk.ended;
    let seen = walked.and_then(|()| (scenario.look)(&mut scene));
    let place = describe(stepper.place());
    let over = if scenario.dies || seen.is_err() {
        stepper.kill();
        Ok(())
    } else {
        go_on(stepper, walk.is_unfinished)
    };
    seen.and(over)
        .and_then(|()| (scenario.after)(&mut scene))
        .map_err(|trouble| (trouble, place))
}

fn steps<S>(
    scenario: &Scenario<S>,
    scene: &mut Scene<'_, S>,
    stepper: &Stepper,
    cue: &Cue,
    k: usize,
    manner: Manner,
    walk: &mut Walk,
) -> Outcome {
    for step in 1..=k {
        let is_last = step == k;
        let mut outcome = stepper.step()?;
        while outcome == Step::Asleep {
            walk.naps += 1;
            walk.is_unfinished = is_last;
            walk.asleep = is_last && manner == Manner::KillAsleep;
            if walk.asleep {
                return Ok(());
            }
            (scenario.asleep)(scene, walk.naps)?;
            if is_last {
                return Ok(());
            }
            outcome = finish_step(stepper)?;
        }
        if outcome == Step::Gone || cue.has_ended() {
            walk.ended = true;
            return Ok(());
        }
    }
    Ok(())
}

fn go_on(stepper: Stepper, is_unfinished: bool) -> Outcome {
    if is_unfinished {
        finish_step(&stepper)?;
    }
    let ended = stepper.run_to_the_end()?;
    ended.map_err(|_| Trouble::Stuck("the victim, spared, does not go on".into()))
}

fn finish_step(stepper: &Stepper) -> Result<Step, Trouble> {
    let finished = stepper.finish_step()?;
    finished.map_err(|_| Trouble::Stuck("the victim sleeps on".into()))
}
