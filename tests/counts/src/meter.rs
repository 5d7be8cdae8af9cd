//! Marks in a process, in shared memory, between which another one counts what it does.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::Plain;
use crate::common::stepper::{Astray, Cue, Step, Stepper};

/// Each of them counts on its own, so that one sees whether they are all the same.
const LAPS: u32 = 4;
/// So that what is looked up once is not counted.
const LAPS_TO_WARM_UP: u32 = 2;

#[repr(C)]
pub(crate) struct Meter {
    cue: Cue,
    inside: AtomicU32,
}

// SAFETY: a cue and an atomic.
unsafe impl Plain for Meter {}

/// What happened between two marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) instructions: usize,
    pub(crate) system_calls: usize,
}

/// For the process that is counted.
impl Meter {
    pub(crate) fn begin(&self) {
        self.cue.begin();
    }

    pub(crate) fn end(&self) {
        self.cue.end();
    }

    /// What is counted. One store at either side, so that it is exact.
    #[inline(always)]
    pub(crate) fn count(&self, operation: impl FnOnce()) {
        self.inside.store(1, Ordering::SeqCst);
        operation();
        self.inside.store(0, Ordering::SeqCst);
    }

    /// The operation alone, warmed up, some times.
    #[inline(always)]
    pub(crate) fn laps(&self, mut operation: impl FnMut()) {
        self.laps_after(|| (), |()| operation());
    }

    /// Each time after something that is not counted, whose result it gets.
    #[inline(always)]
    pub(crate) fn laps_after<T>(
        &self,
        mut before: impl FnMut() -> T,
        mut operation: impl FnMut(T),
    ) {
        for lap in 0..LAPS_TO_WARM_UP + LAPS {
            if lap == LAPS_TO_WARM_UP {
                self.begin();
            }
            let ready = before();
            self.count(|| operation(ready));
        }
        self.end();
    }
}

/// For the process that counts.
impl Meter {
    pub(crate) fn cue(&self) -> &Cue {
        &self.cue
    }

    /// Steps through to the end: the counts, one a pair of marks.
    pub(crate) fn read(&self, stepper: &Stepper) -> Result<Vec<Count>, Astray> {
        let mut counts = Vec::new();
        let mut count = Count::default();
        while !self.cue.has_ended() {
            let was_inside = self.is_inside();
            let calls = stepper.is_at_a_system_call();
            step(stepper)?;
            if !was_inside {
                continue;
            }
            count.instructions += 1;
            count.system_calls += usize::from(calls);
            if !self.is_inside() {
                counts.push(std::mem::take(&mut count));
            }
        }
        Ok(counts)
    }

    fn is_inside(&self) -> bool {
        self.inside.load(Ordering::SeqCst) != 0
    }
}

/// One instruction, however long it sleeps.
fn step(stepper: &Stepper) -> Result<(), Astray> {
    let mut step = stepper.step()?;
    while step == Step::Asleep {
        let finished = stepper.finish_step()?;
        step = finished.map_err(|_| Astray("it sleeps on".into()))?;
    }
    match step {
        Step::Gone => Err(Astray("it ended before its end".into())),
        _ => Ok(()),
    }
}
