//! What the processes share: one of each primitive.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use procsync::{
    AcquireError, Barrier, Condition, Event, Lock, LockGuard, RLock, Semaphore, Timer, TimerError,
    TimerState,
};

use crate::books::Books;
use crate::counters::Counters;
use crate::desk::{Desk, OTHERS, SELLERS, Task};
use crate::till::Till;

procsync::shareable! {
    pub(crate) struct Office {
        pub(crate) supervisor: u32,
        pub(crate) books: Lock<Books>,
        /// Whoever wants both takes the books first.
        pub(crate) till: RLock<Till>,
        pub(crate) counters: Counters,
        /// Each asks the porter to look at the shelf. One too many does no harm.
        pub(crate) orders: Semaphore,
        /// There are tickets on the shelf; with the books.
        pub(crate) restocked: Condition,
        pub(crate) open: Event,
        /// Where all sellers meet while the office is closed.
        pub(crate) meeting: Barrier,
        /// Runs from opening to closing.
        day: Timer,
        milliseconds_a_day: u64,
        days: AtomicU64,
        abandoned_days: AtomicU64,
        /// Set when everybody is to go home for good.
        out_of_business: AtomicU64,
        pub(crate) desks: [Desk; SELLERS + OTHERS],
    }
}

impl Office {
    pub(crate) fn new(tickets: u64, sellers: usize, day: Duration, supervisor: u32) -> Self {
        let sellers = u32::try_from(sellers).expect("as many as there are desks");
        Self {
            supervisor,
            books: Lock::new(Books::new(tickets)),
            till: RLock::new(Till::new()),
            counters: Counters::new(sellers.div_ceil(2)),
            orders: Semaphore::new(0),
            restocked: Condition::new(),
            open: Event::new(),
            meeting: Barrier::new(sellers),
            day: Timer::new(),
            milliseconds_a_day: u64::try_from(day.as_millis()).expect("a short time"),
            days: AtomicU64::new(0),
            abandoned_days: AtomicU64::new(0),
            out_of_business: AtomicU64::new(0),
            desks: [const { Desk::new() }; SELLERS + OTHERS],
        }
    }

    /// `acquire_or_repair` is all that there is to do about the death of a lock's holder.
    pub(crate) fn take_books(&self) -> Result<LockGuard<'_, Books>, AcquireError<()>> {
        self.books
            .acquire_or_repair(|books| books.repair(&self.till))
            .map_err(AcquireError::without_guard)
    }

    pub(crate) fn place_order(&self) {
        self.orders.release(1).expect("a porter, now and then");
    }

    pub(crate) fn is_in_business(&self) -> bool {
        self.out_of_business.load(Relaxed) == 0
    }

    /// Sends everybody home, wherever they wait. With the books in hand, so that nobody mends the
    /// meeting point afterwards. Done twice it does no harm.
    pub(crate) fn close_down(&self, _books: &LockGuard<'_, Books>) {
        self.out_of_business.store(1, Relaxed);
        self.restocked.notify_all();
        self.meeting.abort();
        self.place_order();
        self.dismiss_guards();
    }

    /// To be repeated until they have left: one of them may just be closing for the night.
    pub(crate) fn dismiss_guards(&self) {
        self.open.set();
        self.day.cancel();
    }

    /// Until the day is over, on the thread of whoever comes first. The others wait for that; if the
    /// one that runs the timer dies, they come again, and one of them runs it anew.
    pub(crate) fn spend_day(&self, me: &Desk) -> Result<(), TimerError> {
        self.wind_up();
        me.begin(Task::RunningTheDay);
        let length = Duration::from_millis(self.milliseconds_a_day);
        match self.day.run(length, || self.close_for_the_night()) {
            Err(TimerError::AlreadyStarted) => {
                me.begin(Task::WatchingTheDay);
                self.day.wait();
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    /// Whatever became of the day before.
    fn wind_up(&self) {
        let before = self.day.state();
        if before.is_finished() && self.day.reset() && before == TimerState::Abandoned {
            self.abandoned_days.fetch_add(1, Relaxed);
        }
    }

    fn close_for_the_night(&self) {
        self.days.fetch_add(1, Relaxed);
        self.open.clear();
    }

    pub(crate) fn days(&self) -> u64 {
        self.days.load(Relaxed)
    }

    pub(crate) fn abandoned_days(&self) -> u64 {
        self.abandoned_days.load(Relaxed)
    }

    pub(crate) fn longest_wait(&self) -> Duration {
        let waits = self.desks.iter().map(Desk::longest_wait);
        waits.max().unwrap_or_default()
    }
}
