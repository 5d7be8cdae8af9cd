//! Explorations: all executions of a scenario, one plan of death and nap after the other.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::kernel::model::{self as kernel, Happened, Plan};

/// Thread switches and atomic accesses in one execution.
const MAX_BRANCHES: usize = 10_000;

/// What to explore: all interleavings of the threads of a scenario and, around them, deaths and naps.
///
/// One of the constants, perhaps with another bound:
///
/// ```ignore
/// Exploration::DEATHS.within(3).run(|| { /* the scenario */ });
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is explored before `run`"]
pub struct Exploration {
    preemptions: Option<usize>,
    deaths: bool,
    naps: bool,
}

/// How much an exploration explored.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Explored {
    /// Steps before which the mortal thread died.
    pub deaths: usize,
    /// Waits that ended early.
    pub naps: usize,
    /// Executions in all.
    pub executions: usize,
}

impl Exploration {
    /// Interleavings, and nothing else, with 3 preemptions.
    pub const CALM: Self = Self {
        preemptions: Some(3),
        deaths: false,
        naps: false,
    };

    /// The mortal thread dies before each of its steps. 2 preemptions.
    pub const DEATHS: Self = Self {
        preemptions: Some(2),
        deaths: true,
        naps: false,
    };

    /// Each wait ends early: by its deadline if it has one, or else for no reason. 3 preemptions.
    pub const NAPS: Self = Self {
        naps: true,
        ..Self::CALM
    };

    /// Each death with each nap: as many times as long as [`DEATHS`](Self::DEATHS) as there are waits.
    /// 2 preemptions.
    pub const DEATHS_AND_NAPS: Self = Self {
        naps: true,
        ..Self::DEATHS
    };

    /// The same with another bound on preemptions: how often a thread may be interrupted where it could
    /// go on, in one execution. Two or three find nearly everything, in a fraction of the time.
    pub const fn within(self, preemptions: usize) -> Self {
        Self {
            preemptions: Some(preemptions),
            ..self
        }
    }

    /// The same with any number of preemptions.
    pub const fn unbounded(self) -> Self {
        Self {
            preemptions: None,
            ..self
        }
    }

    /// Runs `scenario` in every way.
    ///
    /// It starts threads and joins them, and makes everything that they share. It must do the same
    /// each time, if the same happens to it: no random numbers, no clock, no files.
    ///
    /// # Panics
    ///
    /// - As `scenario` panics. What was planned for that execution goes to the standard error.
    /// - If all threads wait for ever (loom's "deadlock").
    /// - If an execution does not end (loom's "exceeded maximum number of branches").
    /// - If deaths are wanted, and no thread is [mortal](super::spawn_mortal), or naps, and nothing waits:
    ///   such a test could not fail.
    /// - Within another exploration.
    pub fn run(self, scenario: impl Fn() + Send + Sync + 'static) -> Explored {
        let explored = self.explore(Arc::new(scenario));
        assert!(
            !self.deaths || explored.deaths > 0,
            "nobody died: no thread was started with `spawn_mortal`, or it took no step"
        );
        assert!(
            !self.naps || explored.naps > 0,
            "no wait ended early: nothing waited"
        );
        explored
    }

    fn explore(self, scenario: Arc<impl Fn() + Send + Sync + 'static>) -> Explored {
        let mut explored = Explored::default();
        for nap in choices(self.naps) {
            for death in choices(self.deaths) {
                let plan = Plan { death, nap };
                let happened = self.run_plan(plan, scenario.clone());
                explored.executions += happened.executions;
                if death.is_some() && !happened.death {
                    break;
                }
                if death.is_none() && nap.is_some() && !happened.nap {
                    return explored;
                }
                explored.deaths += usize::from(death.is_some());
                explored.naps += usize::from(nap.is_some() && death.is_none());
            }
        }
        explored
    }

    fn run_plan(self, plan: Plan, scenario: Arc<impl Fn() + Send + Sync + 'static>) -> Happened {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = self.preemptions;
        builder.max_branches = MAX_BRANCHES;
        kernel::begin(plan);
        let checked = catch_unwind(AssertUnwindSafe(|| {
            builder.check(move || {
                kernel::begin_execution();
                scenario();
            });
        }));
        let happened = kernel::end();
        if let Err(panic) = checked {
            eprintln!("{}", account(plan, happened, &*panic));
            resume_unwind(panic);
        }
        happened
    }
}

/// Not at all, and, if wanted, at 0, 1, 2, …
fn choices(wanted: bool) -> impl Iterator<Item = Option<usize>> {
    core::iter::once(None).chain((0..).map(Some).take_while(move |_| wanted))
}

/// What had happened in the execution that failed.
fn account(plan: Plan, happened: Happened, panic: &(dyn Any + Send)) -> String {
    let death = match (kernel::victim(), plan.death) {
        (Some(tid), Some(step)) => format!("thread {tid} died before its step {step}"),
        _ => "nobody had died".to_owned(),
    };
    let nap = plan.nap.map_or_else(String::new, |wait| {
        format!(", wait {wait} of all was to end early")
    });
    let asleep = match kernel::tids_asleep() {
        tids if tids.is_empty() => "nobody slept".to_owned(),
        tids => format!("asleep: thread {tids:?}"),
    };
    format!(
        "procsync::model: in execution {} of this plan {death}{nap}; {asleep}; {:?} had passed. \
         (Threads by TID, in the order in which they first touched a primitive or an atomic.){}",
        happened.executions,
        kernel::elapsed(),
        hint(panic),
    )
}

/// What loom's own words may leave open.
fn hint(panic: &(dyn Any + Send)) -> &'static str {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    if message.is_some_and(|message| message.contains("maximum number of branches")) {
        "\nprocsync::model: an execution did not end. A loop that waits for another thread must call \
         `loom::thread::yield_now()`; and a `Condition` whose wake-up was lost looks around for ever."
    } else {
        ""
    }
}
