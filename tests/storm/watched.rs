//! That hangs are found, and nothing else is taken for one.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use procsync::{Event, Shared};

use crate::common::{Child, Gate, Mapped, fork, sleepers};
use crate::watch::{self, Bounds, State, Verdict};

/// A millisecond each, or more.
const LOOKS: u64 = 500;

const BOUNDS: Bounds = Bounds {
    asleep: Duration::from_millis(300),
    busy: Duration::from_millis(300),
};

fn watch(child: &Child, progress: &AtomicU64) -> Result<(), Verdict> {
    watch::until(
        BOUNDS,
        || child.has_ended(),
        || progress.load(SeqCst),
        || vec![(child.tid(), child.tid())],
    )
}

pub(crate) fn who_sleeps_for_ever() {
    let event = Shared::anonymous(Event::new()).expect("memory can be had");
    let waiter = fork(|| event.wait());
    let found = watch(&waiter, &AtomicU64::new(0));
    assert_eq!(found, Err(Verdict::AllAsleep));
    assert_eq!(sleepers(&*event), 1);
}

pub(crate) fn who_runs_for_ever() {
    let runner = fork(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    let found = watch(&runner, &AtomicU64::new(0));
    assert_eq!(found, Err(Verdict::Busy));
}

/// A stopped one may take as long as it likes; so may one that is getting on.
pub(crate) fn who_is_stopped() {
    let gate: Mapped<Gate> = Mapped::zeroed();
    let child = fork(|| gate.wait());
    kill(child.pid(), Signal::SIGSTOP).expect("a child can be stopped");
    let mut looks = 0;
    let waited = watch::until(
        BOUNDS,
        || {
            looks += u64::from(watch::state_of(child.pid()) == State::Stopped);
            looks > LOOKS
        },
        || 0,
        || vec![(child.tid(), child.tid())],
    );
    assert_eq!(waited, Ok(()));
    kill(child.pid(), Signal::SIGCONT).expect("a child can be continued");
    let mut looks = 0;
    let progress = AtomicU64::new(0);
    let waited = watch::until(
        BOUNDS,
        || {
            looks += 1;
            progress.store(looks, SeqCst);
            looks > LOOKS
        },
        || progress.load(SeqCst),
        || vec![(child.tid(), child.tid())],
    );
    assert_eq!(waited, Ok(()));
    gate.open();
    child.succeed();
}
