//! One thread, and primitives that nobody else uses.

use std::ops::Deref;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Acquire;

use procsync::{BoundedSemaphore, Lock, RLock, Semaphore};

use crate::measure::{Entry, Workload, joined};
use crate::rivals::lists::{all_monitors, shared_events, shared_locks, shared_semaphores};
#[cfg(feature = "rivals")]
use crate::rivals::parking_lot;
use crate::rivals::{flag::Flag, ours, pthread, pthread::Kind, sem_t::SemT, standard};
use crate::traits::{self, Condition as _, Monitor};

/// A tenth of a millisecond: most rounds are over before the scheduler interferes.
const ROUND: [u64; 2] = [10, 10_000];

pub(super) fn all() -> Vec<Workload> {
    let workload = |name: &str, baseline, entries: fn() -> Vec<Entry>| {
        Workload::new(name, "ns an operation", baseline, ROUND, entries)
    };
    let lock = workload("uncontended lock", "std Mutex", locks);
    let shared = workload("uncontended shared lock", "pthread", shared_locks);
    let nested = workload("uncontended, depth 3", "pthread recursive", depth_3);
    let semaphore = workload("uncontended semaphore", "sem_t", semaphores);
    vec![
        lock.target("procsync Lock, private", "std Mutex", 1.05),
        shared.target("procsync Lock", "pthread robust", 0.60),
        nested.target("procsync RLock, private", "parking_lot ReentrantMutex", 1.0),
        semaphore.target("procsync Semaphore", "sem_t", 0.85),
        workload("event, set and clear", "pthread flag", set_and_clear),
        workload("event, is_set", "atomic load", is_set),
        workload("notify nobody", "pthread", notify),
        workload("notify nobody under the lock", "pthread", notify_locked),
    ]
}

fn lock<H>(rival: &str, make: impl Fn() -> H) -> Entry
where
    H: Deref<Target: traits::Lock> + 'static,
{
    Entry::repeated(rival, make(), |handle| drop(traits::Lock::lock(&**handle)))
}

fn locks() -> Vec<Entry> {
    let entries = vec![
        lock("procsync Lock, private", || Box::new(Lock::new(()))),
        lock("procsync RLock, private", || Box::new(RLock::new(()))),
        lock("std Mutex", standard::mutex),
        lock("pthread, private", || pthread::Mutex::new(Kind::PRIVATE)),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            lock("parking_lot Mutex", parking_lot::mutex),
            lock("parking_lot ReentrantMutex", parking_lot::reentrant),
        ],
    );
    entries
}

fn shared_locks() -> Vec<Entry> {
    let recursive_robust = || pthread::Mutex::new(Kind::RECURSIVE_ROBUST);
    let recursive = [
        lock("procsync RLock", || ours::shared(RLock::new(()))),
        lock("pthread recursive", || pthread::Mutex::new(Kind::RECURSIVE)),
        lock("pthread recursive robust", recursive_robust),
    ];
    joined(shared_locks!(lock()), recursive)
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
    let recursive_robust = pthread::Mutex::new(Kind::RECURSIVE_ROBUST);
    let entries = vec![
        thrice("procsync RLock, private", Box::new(RLock::new(()))),
        thrice("procsync RLock", ours::shared(RLock::new(()))),
        thrice("pthread recursive", pthread::Mutex::new(Kind::RECURSIVE)),
        thrice("pthread recursive robust", recursive_robust),
    ];
    #[cfg(feature = "rivals")]
    let reentrant = thrice("parking_lot ReentrantMutex", parking_lot::reentrant());
    #[cfg(feature = "rivals")]
    let entries = joined(entries, [reentrant]);
    entries
}

fn semaphores() -> Vec<Entry> {
    fn semaphore<H>(rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: traits::Semaphore> + 'static,
    {
        Entry::repeated(rival, make(), |handle| {
            traits::Semaphore::acquire(&**handle);
            traits::Semaphore::release(&**handle);
        })
    }
    let bounded = || ours::shared(BoundedSemaphore::new(1));
    let others = [
        semaphore("procsync BoundedSemaphore", bounded),
        semaphore("procsync Semaphore, private", || {
            Box::new(Semaphore::new(1))
        }),
        semaphore("sem_t, private", || SemT::private(1)),
    ];
    joined(shared_semaphores!(1, semaphore()), others)
}

fn set_and_clear() -> Vec<Entry> {
    fn event<H>(rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: traits::Event> + 'static,
    {
        Entry::repeated(rival, make(), |handle| {
            traits::Event::set(&**handle);
            traits::Event::clear(&**handle);
        })
    }
    let std = event("std flag", || Flag::new(standard::monitor()));
    joined(shared_events!(event()), [std])
}

fn is_set() -> Vec<Entry> {
    let event = ours::event();
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
    fn entry<M: Monitor + 'static>(rival: &str, make: impl Fn() -> M) -> Entry {
        Entry::repeated(rival, make(), |monitor| monitor.condition(0).notify_one())
    }
    all_monitors!(entry())
}

fn notify_locked() -> Vec<Entry> {
    fn entry<M: Monitor + 'static>(rival: &str, make: impl Fn() -> M) -> Entry {
        Entry::repeated(rival, make(), |monitor| {
            let guard = monitor.lock();
            monitor.condition(0).notify_one();
            drop(guard);
        })
    }
    all_monitors!(entry())
}
