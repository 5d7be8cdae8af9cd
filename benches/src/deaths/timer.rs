//! Timers, of which the others have none: the death of one who runs it.

use std::time::Duration;

use procsync::{Timer, TimerState};

use super::actors::{Asked, asleep};
use super::{Case, Outcome, Played, Row};
use crate::rivals::ours;

const LONG: Duration = Duration::from_secs(3600);

pub(super) fn runner() -> Case {
    Case {
        who: "Who runs a timer",
        how: "It sleeps until the timer's time comes, an hour later, and another one sleeps until the timer is\n\
              done. The former is killed.",
        rows: vec![Row::new("procsync Timer", kill_the_runner)],
    }
}

fn kill_the_runner() -> Played {
    let timer = ours::shared(Timer::new());
    let runner = asleep(|| {
        // It never answers.
        let _ = timer.run(LONG, || ());
    })?;
    let mut waiter = Asked::asleep(|| timer.wait() == TimerState::Abandoned)?;
    runner.kill();
    let answer = waiter.answer()?;
    let text = match answer {
        Some(true) => "who waits is told that the timer is abandoned",
        Some(false) => "who waits is told something else",
        None => "**who waits sleeps on**",
    };
    Ok(Outcome::new(answer == Some(true), text))
}
