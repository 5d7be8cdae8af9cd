//! `process-sync`: pthread's, behind exclusive references; so every process has a handle of its own,
//! and threads cannot have one in common.

use std::cell::RefCell;

use process_sync::{SharedCondvar, SharedMutex};

use crate::traits::{Condition, GuardOf, Lock, Monitor, Parts};

pub(crate) struct Mutex(RefCell<SharedMutex>);

pub(crate) fn mutex() -> Box<Mutex> {
    let mutex = SharedMutex::new().expect("shared memory");
    Box::new(Mutex(RefCell::new(mutex)))
}

pub(crate) struct Condvar(RefCell<SharedCondvar>);

fn condvar() -> Box<Condvar> {
    let condvar = SharedCondvar::new().expect("shared memory");
    Box::new(Condvar(RefCell::new(condvar)))
}

pub(crate) fn monitor() -> impl Monitor {
    Parts {
        lock: mutex(),
        conditions: [condvar(), condvar()],
    }
}

pub(crate) struct Guard<'lock>(&'lock Mutex);

impl Lock for Mutex {
    type Guard<'lock> = Guard<'lock>;

    #[inline]
    fn lock(&self) -> Guard<'_> {
        self.0.borrow_mut().lock().expect("nobody dies here");
        Guard(self)
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        let unlocked = self.0.0.borrow_mut().unlock();
        unlocked.expect("this process has locked it");
    }
}

impl Condition for Condvar {
    type Lock = Mutex;

    #[inline]
    fn wait<'lock>(&self, guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        let waited = self.0.borrow_mut().wait(&mut guard.0.0.borrow_mut());
        waited.expect("nobody dies here");
        guard
    }

    #[inline]
    fn notify_one(&self) {
        let notified = self.0.borrow_mut().notify_one();
        notified.expect("a condition variable");
    }

    #[inline]
    fn notify_all(&self) {
        let notified = self.0.borrow_mut().notify_all();
        notified.expect("a condition variable");
    }
}
