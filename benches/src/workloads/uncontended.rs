//! One thread, and primitives that nobody else uses.

use std::ops::Deref;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Acquire;

use procsync::{BoundedSemaphore, Lock, RLock, Semaphore};

#[cfg(feature = "rivals")]
use crate::measure::joined;
use crate::measure::{Entry, Workload};
use crate::rivals::{flag::Flag, ours, pthread, pthread::Kind, sem_t::SemT, standard};
#[cfg(feature = "rivals")]
use crate::rivals::{
    iceoryx2, parking_lot, posix_sync, process_sync, raw_sync, rufutex, rustix_futex_sync,
};
use crate::traits::{self, Condition as _, Monitor};

/// A tenth of a millisecond: most rounds are over before the scheduler interferes.
const ROUND: [u64; 2] = [10, 10_000];
const UNIT: &str = "ns an operation";

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::new("uncontended lock", UNIT, "std Mutex", ROUND, locks).target(
            "procsync Lock, private",
            "std Mutex",
            1.05,
        ),
        Workload::new(
            "uncontended shared lock",
            UNIT,
            "pthread",
            ROUND,
            shared_locks,
        )
        .target("procsync Lock", "pthread robust", 0.60),
        Workload::new(
            "uncontended, depth 3",
            UNIT,
            "pthread recursive",
            ROUND,
            depth_3,
        )
        .target("procsync RLock, private", "parking_lot ReentrantMutex", 1.0),
        Workload::new("uncontended semaphore", UNIT, "sem_t", ROUND, semaphores).target(
            "procsync Semaphore",
            "sem_t",
            0.85,
        ),
        Workload::new(
            "event, set and clear",
            UNIT,
            "pthread flag",
            ROUND,
            set_and_clear,
        ),
        Workload::new("event, is_set", UNIT, "atomic load", ROUND, is_set),
        Workload::new("notify nobody", UNIT, "pthread", ROUND, notify),
        Workload::new(
            "notify nobody under the lock",
            UNIT,
            "pthread",
            ROUND,
            notify_locked,
        ),
    ]
}

fn lock<H: Deref<Target: traits::Lock> + 'static>(rival: &str, handle: H) -> Entry {
    Entry::repeated(rival, handle, |handle| drop(traits::Lock::lock(&**handle)))
}

fn locks() -> Vec<Entry> {
    let entries = vec![
        lock("procsync Lock, private", Box::new(Lock::new(()))),
        lock("procsync RLock, private", Box::new(RLock::new(()))),
        lock("std Mutex", standard::mutex()),
        lock("pthread, private", pthread::Mutex::new(Kind::PRIVATE)),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            lock("parking_lot Mutex", parking_lot::mutex()),
            lock("parking_lot ReentrantMutex", parking_lot::reentrant()),
        ],
    );
    entries
}

fn shared_locks() -> Vec<Entry> {
    let entries = vec![
        lock("procsync Lock", ours::shared(Lock::new(()))),
        lock("procsync RLock", ours::shared(RLock::new(()))),
        lock("pthread", pthread::Mutex::new(Kind::PLAIN)),
        lock("pthread robust", pthread::Mutex::new(Kind::ROBUST)),
        lock("pthread recursive", pthread::Mutex::new(Kind::RECURSIVE)),
        lock(
            "pthread recursive robust",
            pthread::Mutex::new(Kind::RECURSIVE_ROBUST),
        ),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            lock("iceoryx2 Mutex", iceoryx2::mutex()),
            lock("posix-sync Mutex", posix_sync::mutex()),
            lock("process-sync SharedMutex", process_sync::mutex()),
            lock("raw_sync Mutex", raw_sync::mutex()),
            lock("rufutex SharedFutex", rufutex::mutex()),
            lock("rustix-futex-sync Mutex", rustix_futex_sync::mutex()),
        ],
    );
    entries
}

/// Three acquisitions one inside the other, and their releases: one operation.
fn depth_3() -> Vec<Entry> {
    fn thrice<H: Deref<Target: traits::Lock> + 'static>(rival: &str, handle: H) -> Entry {
        Entry::repeated(rival, handle, |handle| {
            let lock = || traits::Lock::lock(&**handle);
            let (outer, middle, inner) = (lock(), lock(), lock());
            drop(inner);
            drop(middle);
            drop(outer);
        })
    }
    let entries = vec![
        thrice("procsync RLock, private", Box::new(RLock::new(()))),
        thrice("procsync RLock", ours::shared(RLock::new(()))),
        thrice("pthread recursive", pthread::Mutex::new(Kind::RECURSIVE)),
        thrice(
            "pthread recursive robust",
            pthread::Mutex::new(Kind::RECURSIVE_ROBUST),
        ),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [thrice(
            "parking_lot ReentrantMutex",
            parking_lot::reentrant(),
        )],
    );
    entries
}

fn semaphores() -> Vec<Entry> {
    fn semaphore<H: Deref<Target: traits::Semaphore> + 'static>(rival: &str, handle: H) -> Entry {
        Entry::repeated(rival, handle, |handle| {
            traits::Semaphore::acquire(&**handle);
            traits::Semaphore::release(&**handle);
        })
    }
    let entries = vec![
        semaphore("procsync Semaphore, private", Box::new(Semaphore::new(1))),
        semaphore("procsync Semaphore", ours::shared(Semaphore::new(1))),
        semaphore(
            "procsync BoundedSemaphore",
            ours::shared(BoundedSemaphore::new(1)),
        ),
        semaphore("sem_t, private", SemT::private(1)),
        semaphore("sem_t", SemT::new(1)),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [semaphore("iceoryx2 Semaphore", iceoryx2::semaphore(1))],
    );
    entries
}

fn set_and_clear() -> Vec<Entry> {
    fn event<H: Deref<Target: traits::Event> + 'static>(rival: &str, handle: H) -> Entry {
        Entry::repeated(rival, handle, |handle| {
            traits::Event::set(&**handle);
            traits::Event::clear(&**handle);
        })
    }
    let entries = vec![
        event("procsync Event", ours::shared(procsync::Event::new())),
        event("pthread flag", Flag::new(pthread::monitor(Kind::PLAIN))),
        event("std flag", Flag::new(standard::monitor())),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(entries, [event("raw_sync Event", raw_sync::event())]);
    entries
}

fn is_set() -> Vec<Entry> {
    let event = ours::shared(procsync::Event::new());
    event.set();
    vec![
        Entry::repeated("procsync Event", event, |event| {
            assert!(event.is_set());
        }),
        Entry::repeated("atomic load", ours::shared(AtomicU32::new(1)), |word| {
            assert!(word.load(Acquire) == 1);
        }),
    ]
}

fn notify() -> Vec<Entry> {
    fn entry<M: Monitor + 'static>(rival: &str, monitor: M) -> Entry {
        Entry::repeated(rival, monitor, |monitor| monitor.condition(0).notify_one())
    }
    let entries = vec![
        entry("procsync Condition", ours::monitor()),
        entry("pthread", pthread::monitor(Kind::PLAIN)),
        entry("std Condvar", standard::monitor()),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            entry("parking_lot Condvar", parking_lot::monitor()),
            entry("rustix-futex-sync Condvar", rustix_futex_sync::monitor()),
        ],
    );
    entries
}

fn notify_locked() -> Vec<Entry> {
    fn entry<M: Monitor + 'static>(rival: &str, monitor: M) -> Entry {
        Entry::repeated(rival, monitor, |monitor| {
            let guard = monitor.lock();
            monitor.condition(0).notify_one();
            drop(guard);
        })
    }
    let entries = vec![
        entry("procsync Condition", ours::monitor()),
        entry("pthread", pthread::monitor(Kind::PLAIN)),
        entry("pthread robust", pthread::monitor(Kind::ROBUST)),
        entry("std Condvar", standard::monitor()),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            entry("parking_lot Condvar", parking_lot::monitor()),
            entry("rustix-futex-sync Condvar", rustix_futex_sync::monitor()),
        ],
    );
    entries
}
