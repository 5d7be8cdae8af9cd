//! Mutexes in both kinds of memory, panics, and waits for what others do.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::{Duration, Instant};

use procsync::Lock;
use procsync::lock_api::Mutex;

use crate::common::{Gate, Mapped, Plain, until};

/// Far more than anything here takes, far less than for ever.
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const SHORT: Duration = Duration::from_millis(50);

// SAFETY: a `Lock`, valid as zeros, and a `T`; `lock_api::Mutex` has nothing else.
unsafe impl<T: Plain> Plain for Mutex<T> {}

/// Runs `test` on a mutex in private memory, and on one in shared memory.
pub(crate) fn wherever_it_is(test: impl Fn(&Mutex<u32>)) {
    test(&Mutex::new(0));
    let shared: Mapped<Mutex<u32>> = Mapped::zeroed();
    test(&shared);
}

/// While it cannot be had: both kinds of timeout are kept.
pub(crate) fn keeps_timeouts(mutex: &Mutex<u32>) {
    let started = Instant::now();
    assert!(mutex.try_lock_for(SHORT).is_none());
    assert!(started.elapsed() >= SHORT);
    let deadline = Instant::now() + SHORT;
    assert!(mutex.try_lock_until(deadline).is_none());
    assert!(Instant::now() >= deadline);
    assert!(started.elapsed() < LONG);
}

/// The lock under it, to look at.
pub(crate) fn lock_of<T>(mutex: &Mutex<T>) -> &Lock {
    // SAFETY: the tests only ask it, but where they say so.
    unsafe { mutex.raw() }
}

/// Waits until as many sleep on it.
pub(crate) fn until_asleep<T>(mutex: &Mutex<T>, count: usize) {
    until(|| lock_of(mutex).waiters() == count).expect("they fall asleep");
}

/// Opens a gate at the end, also that of a test that fails: nobody is left waiting.
struct Opens<'gate>(&'gate Gate);

impl Drop for Opens<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Runs `body` while another thread holds the mutex. It lets go when the gate is opened, or at the end.
pub(crate) fn while_held<R>(mutex: &Mutex<u32>, body: impl FnOnce(&Gate) -> R) -> R {
    let (held, let_go) = (Gate::default(), Gate::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = mutex.lock();
            held.open();
            let_go.wait();
        });
        held.wait();
        let _at_the_end = Opens(&let_go);
        body(&let_go)
    })
}

/// Whether another thread finds it free.
pub(crate) fn is_free(mutex: &Mutex<u32>) -> bool {
    thread::scope(|scope| {
        let other = scope.spawn(|| mutex.try_lock().is_some());
        other.join().expect("it only tries")
    })
}

/// Panics at the end of `body`, silently.
pub(crate) fn panic_after<R>(body: impl FnOnce() -> R) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _until_the_end = body();
        resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err());
}
