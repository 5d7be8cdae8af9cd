//! `Timer`.

use procsync::{TimerOutcome, TimerState};

use super::{Id, Impossible, Model, Status, Wait, differ};
use crate::operations::input::{Action, Interval, Patience, SourceName};
use crate::operations::outcome::Outcome;

#[derive(Debug)]
pub struct Timer {
    state: TimerState,
    /// Cancelled before it was armed.
    called_off: bool,
}

impl Default for Timer {
    fn default() -> Self {
        Self {
            state: TimerState::Idle,
            called_off: false,
        }
    }
}

impl Timer {
    pub fn reset(&mut self) -> bool {
        let finished = self.state.is_finished();
        if finished {
            *self = Self::default();
        }
        finished
    }

    pub fn end(&self) -> Option<TimerState> {
        self.state.is_finished().then_some(self.state)
    }

    pub fn differs(&self, timer: &procsync::Timer) -> Option<String> {
        let seen = (timer.state(), timer.remaining().is_some());
        differ(
            "the timer",
            &seen,
            &(self.state, self.state == TimerState::Armed),
        )
    }
}

impl Model {
    pub(super) fn run_timer(
        &mut self,
        me: Id,
        interval: Interval,
        action: Action,
    ) -> Result<Status, Impossible> {
        if self.timer.called_off {
            self.timer.called_off = false;
            return Ok(Status::Due(Outcome::Ran(Some(TimerOutcome::Cancelled))));
        }
        if self.timer.state != TimerState::Idle {
            return Ok(Status::Due(Outcome::Ran(None)));
        }
        if interval == Interval::Long {
            let asleep = self.fall_asleep(me, Wait::Deadline)?;
            self.timer.state = TimerState::Armed;
            return Ok(asleep);
        }
        Ok(Status::Due(match action {
            Action::Returns => {
                self.end_timer(TimerState::Fired);
                Outcome::Ran(Some(TimerOutcome::Fired))
            }
            Action::Panics => {
                self.end_timer(TimerState::Abandoned);
                Outcome::Panicked
            }
        }))
    }

    fn end_timer(&mut self, end: TimerState) {
        self.timer.state = end;
        self.wake(Wait::Deadline, &Outcome::Ran(Some(TimerOutcome::Cancelled)));
        self.wake(Wait::TimersEnd, &Outcome::Timer(end));
        self.wake_watchers(SourceName::Timer);
    }

    pub(super) fn cancel(&mut self) -> Status {
        let prevents = matches!(self.timer.state, TimerState::Idle | TimerState::Armed);
        if prevents {
            self.timer.called_off = self.timer.state == TimerState::Idle;
            self.end_timer(TimerState::Cancelled);
        }
        Status::Due(Outcome::Answer(prevents))
    }

    pub(super) fn await_timer(&self, me: Id, patience: Patience) -> Result<Status, Impossible> {
        if !self.timer.state.is_finished() && patience == Patience::Forever {
            self.fall_asleep(me, Wait::TimersEnd)
        } else {
            Ok(Status::Due(Outcome::Timer(self.timer.state)))
        }
    }
}
