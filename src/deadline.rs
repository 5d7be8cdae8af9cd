//! Timeouts: a duration or an instant becomes one absolute time of the monotonic clock.

use std::time::{Duration, Instant};

use rustix::time::Timespec;

use crate::kernel;

/// How long a caller is willing to wait, as it said it. Turned into a [`Patience`] only where the
/// first attempt failed: the clock is not read before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timeout {
    /// One try.
    Zero,
    /// No more than this.
    For(Duration),
    /// Not past this.
    Until(Instant),
    /// As long as it takes.
    Forever,
}

/// What is left of the caller's [`Timeout`] when it comes to sleeping.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// None: do not sleep.
    Spent,
    /// Sleep until then at most.
    Until(Deadline),
    /// Sleep as long as it takes.
    Unlimited,
}

/// A time of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(Timespec);

impl Deadline {
    pub(crate) fn now() -> Self {
        Self(kernel::now())
    }

    pub(crate) fn as_timespec(self) -> Timespec {
        self.0
    }

    /// For other processes to read; what does not fit, after 584 years, is the end of time.
    pub(crate) fn as_nanoseconds(self) -> u64 {
        let seconds = u64::try_from(self.0.tv_sec).unwrap_or(0);
        let nanoseconds = u64::try_from(self.0.tv_nsec).unwrap_or(0);
        seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(nanoseconds)
    }
}

impl Patience {
    pub(crate) fn deadline(self) -> Option<Deadline> {
        match self {
            Self::Until(deadline) => Some(deadline),
            Self::Spent | Self::Unlimited => None,
        }
    }

    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Spent => true,
            Self::Until(deadline) => deadline <= Deadline::now(),
            Self::Unlimited => false,
        }
    }
}

impl Timeout {
    /// Reads the clock, if it matters.
    pub(crate) fn start(self) -> Patience {
        match self {
            Self::Zero => Patience::Spent,
            Self::For(duration) => after(duration),
            Self::Until(instant) => after(instant.saturating_duration_since(Instant::now())),
            Self::Forever => Patience::Unlimited,
        }
    }
}

/// The end of a period that begins now, if it comes before `deadline`.
pub(crate) fn earlier(deadline: Option<Deadline>, period: Duration) -> Option<Deadline> {
    let end = Deadline(add(kernel::now(), period)?);
    deadline
        .is_none_or(|deadline| end < deadline)
        .then_some(end)
}

/// Zero is no patience at all; what the clock cannot express is for ever.
fn after(duration: Duration) -> Patience {
    if duration.is_zero() {
        return Patience::Spent;
    }
    match add(kernel::now(), duration) {
        Some(time) => Patience::Until(Deadline(time)),
        None => Patience::Unlimited,
    }
}

fn add(now: Timespec, duration: Duration) -> Option<Timespec> {
    const BILLION: i64 = 1_000_000_000;
    let nanoseconds = now.tv_nsec + i64::from(duration.subsec_nanos());
    let seconds = i64::try_from(duration.as_secs()).ok()?;
    let seconds = now
        .tv_sec
        .checked_add(seconds)?
        .checked_add(nanoseconds / BILLION)?;
    Some(Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds % BILLION,
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_carry() {
        let now = Timespec {
            tv_sec: 7,
            tv_nsec: 999_999_999,
        };
        let sum = add(now, Duration::new(1, 1)).unwrap();
        assert_eq!((sum.tv_sec, sum.tv_nsec), (9, 0));
    }

    #[test]
    fn what_does_not_fit_is_for_ever() {
        let now = Timespec {
            tv_sec: 1,
            tv_nsec: 999_999_999,
        };
        assert!(add(now, Duration::MAX).is_none());
        assert!(add(now, Duration::new(i64::MAX.unsigned_abs() - 1, 1)).is_none());
        assert!(matches!(
            Timeout::For(Duration::MAX).start(),
            Patience::Unlimited
        ));
    }

    #[test]
    fn zero_and_the_past_are_no_patience() {
        assert!(matches!(
            Timeout::For(Duration::ZERO).start(),
            Patience::Spent
        ));
        let past = Instant::now();
        assert!(matches!(Timeout::Until(past).start(), Patience::Spent));
    }
}
