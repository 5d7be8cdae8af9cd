//! Where nobody sleeps: instructions, and no system calls.

use std::hint::black_box;

use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, Source, Timer, wait_any,
};

use crate::case::{Case, Peer};
use crate::meter::Meter;

pub(crate) fn cases() -> Vec<Case> {
    let mut all = locks();
    all.extend(rlocks());
    all.extend(semaphores());
    all.extend(events());
    all.extend(several());
    all.extend(conditions());
    all.extend(barriers_and_timers());
    all.extend(refusals());
    all
}

// ---- Locks ------------------------------------------------------------------------------------------

fn locks() -> Vec<Case> {
    vec![
        Case::new("Lock, private: acquire, release", |_, meter| {
            acquire_and_release(&Lock::new(0), meter);
        })
        .instructions(62),
        Case::new("Lock, shared: acquire, release", |stage, meter| {
            acquire_and_release(&stage.lock, meter);
        })
        .instructions(79),
        Case::new(
            "Lock, shared, one other held: acquire, release",
            |stage, meter| {
                let _held = stage.others[0].acquire();
                acquire_and_release(&stage.lock, meter);
            },
        )
        .instructions(79),
        Case::new(
            "Lock, shared, two others held: acquire, release",
            |stage, meter| {
                let _held = stage.others.each_ref().map(Lock::acquire);
                acquire_and_release(&stage.lock, meter);
            },
        )
        .instructions(79),
        Case::new("Lock, shared: try_acquire, release", |stage, meter| {
            let lock = black_box(&stage.lock);
            meter.laps(|| drop(lock.try_acquire().expect("it is free")));
        })
        .instructions(57),
    ]
}

#[inline(always)]
fn acquire_and_release(lock: &Lock<u32>, meter: &Meter) {
    let lock = black_box(lock);
    meter.laps(|| drop(lock.acquire().expect("it is free")));
}

fn rlocks() -> Vec<Case> {
    vec![
        Case::new("RLock, shared: acquire, release", |stage, meter| {
            let lock = black_box(&stage.rlock);
            meter.laps(|| drop(lock.acquire().expect("it is free")));
        })
        .instructions(75),
        Case::new("RLock, shared: second level", |stage, meter| {
            let lock = black_box(&stage.rlock);
            let _first = lock.acquire();
            meter.laps(|| drop(lock.acquire().expect("it is ours")));
        })
        .instructions(38),
        Case::new("RLock, shared: second and third level", |stage, meter| {
            let lock = black_box(&stage.rlock);
            let _first = lock.acquire();
            meter.laps(|| {
                let _second = lock.acquire().expect("it is ours");
                drop(lock.acquire().expect("it is ours"));
            });
        })
        .instructions(65),
        Case::new("RLock, private: acquire, release", |_, meter| {
            let lock = RLock::new(0);
            let lock = black_box(&lock);
            meter.laps(|| drop(lock.acquire().expect("it is free")));
        })
        .instructions(40),
    ]
}

// ---- The others ---------------------------------------------------------------------------------------

fn semaphores() -> Vec<Case> {
    vec![
        Case::new("Semaphore: acquire, release", |_, meter| {
            let semaphore = Semaphore::new(1);
            let semaphore = black_box(&semaphore);
            meter.laps(|| drop(semaphore.acquire()));
        })
        .instructions(35),
        Case::new("BoundedSemaphore: acquire, release", |_, meter| {
            let semaphore = BoundedSemaphore::new(1);
            let semaphore = black_box(&semaphore);
            meter.laps(|| drop(semaphore.acquire()));
        })
        .instructions(43),
        Case::new("Semaphore: release(1)", |stage, meter| {
            let semaphore = black_box(&stage.semaphore);
            meter.laps(|| semaphore.release(1).expect("there is room"));
        })
        .instructions(12),
    ]
}

fn events() -> Vec<Case> {
    vec![
        Case::new("Event: set", |stage, meter| {
            let event = black_box(&stage.event);
            meter.laps_after(|| event.clear(), |()| event.set());
        })
        .instructions(10),
        Case::new("Event, set: set", |stage, meter| {
            let event = black_box(&stage.event);
            event.set();
            meter.laps(|| event.set());
        })
        .instructions(10),
        Case::new("Event, set: clear", |stage, meter| {
            let event = black_box(&stage.event);
            meter.laps_after(|| event.set(), |()| event.clear());
        })
        .instructions(9),
        Case::new("Event: clear", |stage, meter| {
            let event = black_box(&stage.event);
            meter.laps(|| event.clear());
        })
        .instructions(4),
        Case::new("Event, set: is_set", |stage, meter| {
            let event = black_box(&stage.event);
            event.set();
            meter.laps(|| assert!(event.is_set()));
        })
        .instructions(4),
        Case::new("Event, set: wait", |stage, meter| {
            let event = black_box(&stage.event);
            event.set();
            meter.laps(|| event.wait());
        })
        .instructions(4),
    ]
}

/// Each makes its own.
fn several() -> Vec<Case> {
    vec![
        Case::new(
            "wait_any, an Event and a Semaphore: the second",
            |_, meter| {
                let (event, semaphore) = (Event::new(), Semaphore::new(1));
                let sources = [Source::from(&event), Source::from(&semaphore)];
                let sources = black_box(&sources);
                meter.laps(|| assert!(wait_any(sources).is_ok_and(|ready| ready.index == 1)));
            },
        )
        .instructions(262),
    ]
}

fn conditions() -> Vec<Case> {
    vec![
        Case::new("Condition: notify_one", |stage, meter| {
            let condition = black_box(&stage.condition);
            meter.laps(|| condition.notify_one());
        })
        .instructions(4),
        Case::new("Condition: notify_all", |stage, meter| {
            let condition = black_box(&stage.condition);
            meter.laps(|| condition.notify_all());
        })
        .instructions(4),
        Case::new("Condition: wait_for what is so", |stage, meter| {
            let condition: &Condition = black_box(&stage.condition);
            let mut guard = stage.lock.acquire().expect("it is free");
            meter.laps(|| {
                let waited = condition.wait_for(&mut guard, |number| *number == 0);
                waited.expect("nobody has died");
            });
        })
        .instructions(5),
    ]
}

fn barriers_and_timers() -> Vec<Case> {
    vec![
        Case::new("Barrier for one: wait", |_, meter| {
            let barrier = Barrier::new(1);
            let barrier = black_box(&barrier);
            meter.laps(|| assert!(barrier.wait().expect("nobody has died").is_leader()));
        })
        .instructions(285),
        Case::new("Timer, idle: state", |_, meter| {
            let timer = Timer::new();
            let timer = black_box(&timer);
            meter.laps(|| assert!(!timer.state().is_finished()));
        })
        .instructions(34),
        // Those who wait for it are not known to be there: it wakes them, whether or not.
        Case::new("Timer, idle: cancel", |_, meter| {
            let timer = Timer::new();
            let timer = black_box(&timer);
            meter.laps_after(
                || timer.reset(),
                |_| assert!(timer.cancel(), "it was reset"),
            );
        })
        .instructions(128)
        .system_calls(&[1]),
        Case::new("Timer, cancelled: cancel", |_, meter| {
            let timer = Timer::new();
            let timer = black_box(&timer);
            timer.cancel();
            meter.laps(|| assert!(!timer.cancel(), "it is cancelled"));
        })
        .instructions(61),
    ]
}

fn refusals() -> Vec<Case> {
    vec![
        Case::new("Lock, shared, held: try_acquire", |stage, meter| {
            let lock = black_box(&stage.lock);
            meter.laps(|| drop(lock.try_acquire().expect_err("it is held")));
        })
        .with(Peer::First(|stage| {
            let _held = stage.lock.acquire();
            stage.gate.wait();
        }))
        .instructions(163),
        Case::new("Lock, shared, held by itself: acquire", |stage, meter| {
            let lock = black_box(&stage.lock);
            let _held = lock.acquire();
            meter.laps(|| drop(lock.acquire().expect_err("it is held")));
        })
        .instructions(61),
        Case::new("Semaphore, empty: try_acquire", |stage, meter| {
            let semaphore = black_box(&stage.semaphore);
            meter.laps(|| assert!(semaphore.try_acquire().is_none()));
        })
        .instructions(160),
    ]
}
