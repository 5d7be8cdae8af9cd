//! Looking again before sleeping: whether it pays, and for how long.
//!
//! Where both sides run, each on a core of its own, the next hand-over comes within a fraction of a
//! microsecond, and a sleep and its wake-up cost fifty times that. Where they share a core, or the
//! wait is long, looking again only burns time. Which of these is the case, each primitive learns, in a
//! word beside its state:
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–7 | limit | how long to look at most, in [`TICKS`](TICK); 0: not at all |
//! | 8–15 | failures | how often that was in vain, one after the other |
//! | 16–31 | skip | so many waits more go to sleep at once |
//!
//! - *A sleep* that was short sets the limit to what it lasted: had the thread looked for so long, it
//!   would not have needed to sleep, if it had a core of its own. A longer one sets the limit to 0. So
//!   nobody looks for longer than the last sleep lasted, nor than [`SHORT`], and where waits are long
//!   nobody looks at all.
//! - *Success* lets the limit shrink towards a few times what it took.
//! - *Failure*, or a success that took too long, doubles the number of waits until the next attempt. So where it never pays, as on one
//!   core, it costs one attempt in a thousand waits.
//!
//! No protocol depends on the word: whatever it says, somebody looks a little longer, or sleeps a little
//! sooner. Models do not spin: looking again is a sleep that ends for no reason, which they have.

use crate::deadline::{Deadline, Patience};
use crate::sync::{Note, Ordering, const_fn, kernel};

/// Nanoseconds in the unit of the limit.
const TICK: u64 = 512;
/// What a sleep must not have lasted for looking to be worth while, in ticks: some 100 µs. A sleep and
/// a wake-up cost from 5 to 50.
const SHORT: u32 = 200;
const TICKS_MAX: u32 = 1 << 20;
/// The limit does not shrink below it, in ticks.
const SHORTEST: u32 = 4;
/// Failures are not counted beyond it: 1024 waits are skipped then.
const FAILURES_MAX: u32 = 10;
/// So many looks between two looks at the clock.
const LOOKS: u32 = 8;

const FAILURES_SHIFT: u32 = 8;
const SKIP_SHIFT: u32 = 16;
const BYTE: u32 = 0xff;

/// What one primitive has learned. All-zero memory has learned nothing.
#[repr(transparent)]
pub(crate) struct Spin(Note);

#[derive(Clone, Copy)]
struct Lesson {
    limit: u32,
    failures: u32,
    skip: u32,
}

impl Spin {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self(Note::new(0))
        }
    }

    /// Looks until `done`, if that promises to be quicker than a sleep; whether it was.
    #[cold]
    pub(crate) fn until(&self, patience: Patience, done: impl FnMut() -> bool) -> bool {
        if cfg!(loom) || matches!(patience, Patience::Spent) {
            return false;
        }
        let lesson = self.recall();
        if lesson.skip > 0 {
            self.note(lesson.with_one_less_to_skip());
            return false;
        }
        if lesson.limit == 0 {
            return false;
        }
        let (done, ticks) = look(lesson.limit, patience.deadline(), done);
        // Where others have had the processor for long, a sleep may have been better.
        let paid = done && ticks <= 2 * lesson.limit;
        self.note(if paid {
            lesson.after_success(ticks)
        } else {
            lesson.after_failure()
        });
        done
    }

    /// Does `sleep`, and learns from how long it took.
    pub(crate) fn learn_from<End>(&self, sleep: impl FnOnce() -> End) -> End {
        if cfg!(loom) {
            return sleep();
        }
        let begun = now();
        let end = sleep();
        self.note(self.recall().after_sleep(ticks_since(begun)));
        end
    }

    fn recall(&self) -> Lesson {
        let note = self.0.load(Ordering::Relaxed);
        Lesson {
            limit: note & BYTE,
            failures: note >> FAILURES_SHIFT & BYTE,
            skip: note >> SKIP_SHIFT,
        }
    }

    fn note(&self, lesson: Lesson) {
        let note = lesson.limit | lesson.failures << FAILURES_SHIFT | lesson.skip << SKIP_SHIFT;
        self.0.store(note, Ordering::Relaxed);
    }
}

impl Lesson {
    fn with_one_less_to_skip(self) -> Self {
        Self {
            skip: self.skip - 1,
            ..self
        }
    }

    fn after_success(self, ticks: u32) -> Self {
        let enough = SHORTEST + 4 * ticks;
        let shrunk = self.limit - self.limit.div_ceil(8);
        Self {
            limit: shrunk.max(enough).min(self.limit.max(SHORTEST)),
            failures: 0,
            skip: 0,
        }
    }

    fn after_failure(self) -> Self {
        let failures = (self.failures + 1).min(FAILURES_MAX);
        Self {
            limit: self.limit,
            failures,
            skip: 1 << failures,
        }
    }

    fn after_sleep(self, ticks: u32) -> Self {
        let limit = if ticks < SHORT {
            self.limit.max(ticks + ticks / 4 + 1)
        } else {
            0
        };
        Self { limit, ..self }
    }
}

/// Looks until `done`, for so many ticks at most; whether it was, and how many it took. First in quick
/// succession, then with others let run in between, who may be those that are waited for.
fn look(limit: u32, deadline: Option<Deadline>, mut done: impl FnMut() -> bool) -> (bool, u32) {
    let begun = now();
    let deadline = deadline.map_or(u64::MAX, Deadline::as_nanoseconds);
    let end = (begun + u64::from(limit) * TICK).min(deadline);
    loop {
        for _ in 0..LOOKS {
            if done() {
                return (true, ticks_since(begun));
            }
            core::hint::spin_loop();
        }
        if now() >= end {
            return (false, ticks_since(begun));
        }
        kernel::yield_now();
    }
}

fn ticks_since(begun: u64) -> u32 {
    let ticks = now().saturating_sub(begun) / TICK;
    // Not so many that arithmetic with them overflows.
    u32::try_from(ticks).map_or(TICKS_MAX, |ticks| ticks.min(TICKS_MAX))
}

/// A few looks at a taken lock, before a thread sleeps.
///
/// Few, and with the processor given to others in between: who looks takes the cache line from the owner,
/// and where there are more threads than cores, the owner may be one that has yet to run. With short
/// sections on 2 cores, a throughput three times that of a lock that sleeps at once, or of one that looks
/// ten times in a row (`cargo bench --bench ratios contended`).
pub(crate) struct Looks(u32);

/// In quick succession.
const QUICK: u32 = 1;
/// With others let run before.
const SLOW: u32 = 4;

impl Looks {
    pub(crate) fn new() -> Self {
        Self(0)
    }

    /// Whether to look once more. Models do not.
    pub(crate) fn once_more(&mut self) -> bool {
        if cfg!(loom) || self.0 == QUICK + SLOW {
            return false;
        }
        self.0 += 1;
        if self.0 <= QUICK {
            core::hint::spin_loop();
        } else {
            kernel::yield_now();
        }
        true
    }
}

fn now() -> u64 {
    Deadline::now().as_nanoseconds()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const IGNORANT: Lesson = Lesson {
        limit: 0,
        failures: 0,
        skip: 0,
    };

    fn spin_of(lesson: Lesson) -> Spin {
        let spin = Spin::new();
        spin.note(lesson);
        spin
    }

    fn looks(spin: &Spin, done: bool) -> bool {
        let mut looked = false;
        spin.until(Patience::Unlimited, || {
            looked = true;
            done
        });
        looked
    }

    #[test]
    fn nobody_looks_before_a_short_sleep() {
        let spin = Spin::new();
        assert!(!looks(&spin, true));
        spin.learn_from(|| ());
        assert!(looks(&spin, true));
    }

    #[test]
    fn nobody_looks_after_a_long_sleep() {
        let lesson = IGNORANT.after_sleep(SHORT - 1).after_sleep(SHORT);
        assert!(!looks(&spin_of(lesson), true));
    }

    #[test]
    fn nobody_looks_for_longer_than_the_last_sleep_and_a_quarter() {
        let lesson = IGNORANT.after_sleep(40);
        assert_eq!(lesson.limit, 51);
        assert!(IGNORANT.after_sleep(SHORT - 1).limit <= BYTE);
    }

    #[test]
    fn nobody_looks_without_patience() {
        let spin = spin_of(IGNORANT.after_sleep(10));
        let mut looked = false;
        spin.until(Patience::Spent, || {
            looked = true;
            true
        });
        assert!(!looked);
    }

    #[test]
    fn the_limit_shrinks_towards_what_it_takes() {
        let mut lesson = IGNORANT.after_sleep(100);
        for _ in 0..100 {
            lesson = lesson.after_success(0);
        }
        assert_eq!(lesson.limit, SHORTEST);
    }

    #[test]
    fn each_failure_doubles_the_waits_that_are_skipped() {
        let spin = spin_of(IGNORANT.after_sleep(1));
        for failures in 1..=12 {
            assert!(looks(&spin, false));
            let skipped = 1 << failures.min(FAILURES_MAX);
            for _ in 0..skipped {
                assert!(!looks(&spin, true), "after {failures} failures");
            }
        }
        assert!(looks(&spin, true));
        assert_eq!(spin.recall().failures, 0);
    }

    #[test]
    fn any_word_is_valid() {
        for word in [
            0,
            1,
            0xff,
            0xff00,
            0xffff,
            0xffff_0000,
            u32::MAX,
            0x8000_00ff,
        ] {
            let spin = Spin(Note::new(word));
            looks(&spin, false);
            looks(&spin, true);
            spin.learn_from(|| ());
        }
    }
}
