//! What the tests of this directory have in common.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use procsync::{Shareable, Shared};

use crate::common::{sleepers, until};

/// Far more than anything here takes, far less than for ever.
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const SHORT: Duration = Duration::from_millis(50);

/// In a mapping that forked children have, too.
pub(crate) fn shared<P: Shareable + Sync>(value: P) -> Shared<P> {
    Shared::anonymous(value).expect("memory can be had")
}

/// Runs `test` on a value in private memory, and on one in shared memory.
pub(crate) fn wherever<P: Shareable + Sync>(make: impl Fn() -> P, test: impl Fn(&P)) {
    let _watch = watch();
    test(&make());
    test(&shared(make()));
}

/// Ends the process if the caller is stuck: a test that waits for a thread which sleeps for ever could
/// not fail.
fn watch() -> impl Drop {
    struct Watched(mpsc::Sender<()>);
    impl Drop for Watched {
        fn drop(&mut self) {
            // Whoever watches may be gone, in a forked child.
            let _ = self.0.send(());
        }
    }
    let (tell, told) = mpsc::channel();
    let name = thread::current().name().unwrap_or_default().to_owned();
    thread::spawn(move || {
        if told.recv_timeout(2 * LONG).is_err() {
            eprintln!("{name} is stuck");
            std::process::abort();
        }
    });
    Watched(tell)
}

/// Waits until as many threads sleep in a primitive.
#[track_caller]
pub(crate) fn until_asleep<P>(primitive: &P, count: usize) {
    until(|| sleepers(primitive) == count).expect("they fall asleep");
}

/// Runs `body`, which is to last this long at least, and not for ever.
#[track_caller]
pub(crate) fn lasting<R>(least: Duration, body: impl FnOnce() -> R) -> R {
    let started = Instant::now();
    let result = body();
    let lasted = started.elapsed();
    assert!((least..LONG).contains(&lasted), "it lasted {lasted:?}");
    result
}

/// A moment that has passed.
pub(crate) fn the_past() -> Instant {
    Instant::now().checked_sub(SHORT).expect("uptime")
}

/// Whether `body` panics.
pub(crate) fn panics<R>(body: impl FnOnce() -> R) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_err()
}

/// Panics, and prints nothing.
pub(crate) fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}
