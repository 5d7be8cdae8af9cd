//! How much later than after a millisecond a timed wait ends.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use procsync::{Condition, Event, Lock, Semaphore, Timer};
use rustix::thread::ClockId;
use rustix::thread::futex::{Flags, Timespec, wait_bitset};
use rustix::time::clock_gettime;

use crate::measure::{Entry, Sample, Workload, nanoseconds};
use crate::rivals::{kernel::Futex, ours, pthread, pthread::Kind, sem_t::SemT};
use crate::traits::Lock as _;

const ROUND: [u64; 2] = [1, 10];
const KERNEL: &str = "FUTEX_WAIT_BITSET";
const TIME: Duration = Duration::from_millis(1);

pub(super) fn all() -> Vec<Workload> {
    let workload = |name: &str, entries: fn() -> Vec<Entry>, (ours, at_most)| {
        let name = format!("{name} of 1 ms");
        Workload::new(name, "ns too late", KERNEL, ROUND, entries).target(ours, KERNEL, at_most)
    };
    vec![
        workload("timed acquire", semaphores, ("procsync Semaphore", 1.0)),
        workload(
            "timed wait for a condition",
            conditions,
            ("procsync Condition", 1.0),
        ),
        workload("timed wait for an event", events, ("procsync Event", 1.0)),
        workload("timer", timers, ("procsync Timer::start", 0.5)),
    ]
}

/// `wait` lasts for `TIME`, until a moment that it is told, too.
fn entry(rival: &str, wait: impl Fn(&Timespec) + 'static) -> Entry {
    late(rival, move |start| {
        wait(&deadline());
        start.elapsed()
    })
}

/// `wait` answers how long after the start it was over.
fn late(rival: &str, wait: impl Fn(Instant) -> Duration + 'static) -> Entry {
    Entry::new(rival, move |waits| {
        let overshoots = (0..waits).map(|_| wait(Instant::now()).saturating_sub(TIME));
        Sample::of(nanoseconds(overshoots.sum()), waits)
    })
}

fn deadline() -> Timespec {
    let time = Timespec::try_from(TIME).expect("short");
    clock_gettime(ClockId::Monotonic) + time
}

fn for_libc(deadline: &Timespec) -> libc::timespec {
    libc::timespec {
        tv_sec: deadline.tv_sec,
        tv_nsec: deadline.tv_nsec,
    }
}

fn kernel() -> Entry {
    let futex = Futex::new();
    entry(KERNEL, move |deadline| {
        let any = NonZeroU32::MAX;
        let waited = wait_bitset(futex.word(), Flags::empty(), 0, Some(deadline), any);
        assert_eq!(waited, Err(rustix::io::Errno::TIMEDOUT));
    })
}

fn semaphores() -> Vec<Entry> {
    let (semaphore, sem_t) = (ours::shared(Semaphore::new(0)), SemT::new(0));
    vec![
        entry("procsync Semaphore", move |_| {
            assert!(semaphore.acquire_timeout(TIME).is_none());
        }),
        entry("sem_t", move |deadline| {
            assert!(sem_t.acquire_until(&for_libc(deadline)));
        }),
        kernel(),
    ]
}

fn conditions() -> Vec<Entry> {
    let (lock, condition) = (ours::shared(Lock::new(())), ours::shared(Condition::new()));
    let (mutex, condvar) = (pthread::Mutex::new(Kind::PLAIN), pthread::Condition::new());
    vec![
        entry("procsync Condition", move |_| {
            let mut guard = lock.acquire().expect("nobody dies here");
            assert_eq!(condition.wait_timeout(&mut guard, TIME), Ok(false));
        }),
        entry("pthread", move |deadline| {
            let guard = mutex.lock();
            assert!(condvar.wait_until(&guard, &for_libc(deadline)));
        }),
        kernel(),
    ]
}

fn events() -> Vec<Entry> {
    let event = ours::shared(Event::new());
    vec![
        entry("procsync Event", move |_| {
            assert!(!event.wait_timeout(TIME));
        }),
        kernel(),
    ]
}

fn timers() -> Vec<Entry> {
    let timer = Arc::new(Timer::new());
    let runner = Timer::new();
    vec![
        late("procsync Timer::start", move |start| {
            let (tell, told) = std::sync::mpsc::sync_channel(1);
            let thread = Timer::start(Arc::clone(&timer), TIME, move || {
                tell.send(start.elapsed()).expect("somebody listens");
            });
            let thread = thread.expect("a thread");
            let elapsed = told.recv().expect("the timer fires");
            thread.join().expect("it ends well");
            assert!(timer.reset());
            elapsed
        }),
        late("procsync Timer::run", move |start| {
            let mut elapsed = Duration::ZERO;
            let ran = runner.run(TIME, || elapsed = start.elapsed());
            ran.expect("idle before");
            assert!(runner.reset());
            elapsed
        }),
        late("std thread and sleep", |start| {
            let thread = std::thread::spawn(move || {
                std::thread::sleep(TIME);
                start.elapsed()
            });
            thread.join().expect("it ends well")
        }),
        kernel(),
    ]
}
