//! The experiments, each with every rival that takes part.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::SeqCst;

use rustix::process::Pid;

use super::Row;
use super::stage::{
    End, actor, await_end, await_sleep, await_stop, end_of, goes_on, kill, one_ends, run_last,
    stand_still,
};
use crate::processes::{Children, Cores};
use crate::rivals::lists::{
    shared_barriers, shared_events, shared_locks, shared_monitors, shared_semaphores,
};
use crate::rivals::{ours, pthread, pthread::Kind};
use crate::traits::{Barrier, Condition, Event, Heritable, Lock, Monitor, Semaphore};

pub(super) const ALL: [fn() -> Vec<Row>; 8] = [
    || shared_locks!(holder()),
    heirs,
    || shared_locks!(woken_for_a_lock()),
    || shared_semaphores!(0, woken_for_a_permit()),
    || shared_semaphores!(1, with_a_permit()),
    || shared_events!(waiting_for_an_event()),
    || shared_monitors!(waiting_for_a_condition()),
    || shared_barriers!(3, waiting_at_a_barrier()),
];

/// So often a race is run that a rival may lose.
const ROUNDS: u32 = 100;

fn holder<H: Deref<Target: Lock>>(rival: &str, make: impl FnOnce() -> H) -> Row {
    let (lock, mut children) = (make(), Children::default());
    let victim = actor(&mut children, || {
        let _guard = lock.lock();
        stand_still();
    });
    await_stop(victim);
    kill(&mut children, victim);
    let next = actor(&mut children, || drop(lock.lock()));
    let end = end_of(&mut children, next);
    Row::new("the holder of a lock", rival, end.text()).promised(End::IsTold.text())
}

/// Where there is a way to go on: who inherits the lock, and repairs.
fn heirs() -> Vec<Row> {
    fn heir<H: Deref<Target: Heritable>>(rival: &str, lock: &H) -> Row {
        let mut children = Children::default();
        let victim = actor(&mut children, || {
            lock.hold();
            stand_still();
        });
        await_stop(victim);
        kill(&mut children, victim);
        let others = [(); 2].map(|()| {
            let next = actor(&mut children, || lock.inherit());
            end_of(&mut children, next)
        });
        let text = match others {
            [End::GoesOn, End::IsTold] => "the next inherits and repairs it, and it is sound then",
            _ => "**cannot be repaired**",
        };
        Row::new("the same, to be repaired", rival, text)
            .promised("the next inherits and repairs it, and it is sound then")
    }
    vec![
        heir("procsync Lock", &ours::lock()),
        heir("pthread robust", &pthread::Mutex::new(Kind::ROBUST)),
    ]
}

/// Two sleep. The holder releases, which wakes the first, and acquires again; the first is killed before it runs; the
/// holder releases. Now it is the other one's turn.
fn woken_for_a_lock<H: Deref<Target: Lock>>(rival: &str, make: impl Fn() -> H) -> Row {
    let round = || {
        let lock = make();
        let waker = |victim: &dyn Fn() -> Pid| {
            let guard = lock.lock();
            stand_still();
            drop(guard);
            let guard = lock.lock();
            let victim = victim();
            Children::kill(victim);
            await_end(victim);
            drop(guard);
        };
        woken(waker, || drop(lock.lock()))
    };
    Row::new("one who waits for a lock, just woken", rival, race(round)).promised(GOES_ON)
}

/// The first of two who sleep is woken for a permit, and killed before it runs.
fn woken_for_a_permit<H: Deref<Target: Semaphore>>(rival: &str, make: impl Fn() -> H) -> Row {
    let round = || {
        let permits = make();
        let waker = |victim: &dyn Fn() -> Pid| {
            stand_still();
            permits.release();
            Children::kill(victim());
        };
        woken(waker, || permits.acquire())
    };
    Row::new("one who waits for a permit, just woken", rival, race(round)).promised(GOES_ON)
}

const GOES_ON: &str = "the next one gets it";

fn race(mut round: impl FnMut() -> End) -> String {
    match (1..=ROUNDS).find(|_| round() == End::Hangs) {
        Some(round) => format!("**another sleeps on, beside what is free** (round {round})"),
        None => GOES_ON.to_owned(),
    }
}

/// Two sleep by `sleep`; `waker`, which has stood still until then, wakes the first and kills it. All are on one
/// processor, and the first runs when nobody else does. What becomes of the other.
fn woken(waker: impl FnOnce(&dyn Fn() -> Pid), sleep: impl Fn()) -> End {
    let mut children = Children::default();
    let told = ours::shared(AtomicI32::new(0));
    let waker = actor(&mut children, || {
        Cores::One.pin(0);
        waker(&|| Pid::from_raw(told.load(SeqCst)).expect("told before"));
    });
    await_stop(waker);
    let victim = actor(&mut children, || {
        Cores::One.pin(0);
        run_last();
        sleep();
    });
    await_sleep(victim);
    let other = actor(&mut children, || {
        Cores::One.pin(0);
        sleep();
    });
    await_sleep(other);
    told.store(victim.as_raw_pid(), SeqCst);
    goes_on(waker);
    assert!(end_of(&mut children, waker) == End::GoesOn, "the waker");
    children.bury(victim);
    end_of(&mut children, other)
}

fn with_a_permit<H: Deref<Target: Semaphore>>(rival: &str, make: impl FnOnce() -> H) -> Row {
    const GONE: &str = "its permit is gone";
    let (permits, mut children) = (make(), Children::default());
    let victim = actor(&mut children, || {
        permits.acquire();
        stand_still();
    });
    await_stop(victim);
    kill(&mut children, victim);
    let next = actor(&mut children, || permits.acquire());
    let text = match end_of(&mut children, next) {
        End::Hangs => GONE,
        _ => "get its permit",
    };
    Row::new("one who has a permit", rival, text).promised(GONE)
}

fn waiting_for_an_event<H: Deref<Target: Event>>(rival: &str, make: impl FnOnce() -> H) -> Row {
    const SET: &str = "set it, and go on";
    let (event, mut children) = (make(), Children::default());
    let victim = actor(&mut children, || event.wait());
    await_sleep(victim);
    kill(&mut children, victim);
    let waiter = actor(&mut children, || event.wait());
    await_sleep(waiter);
    let setter = actor(&mut children, || event.set());
    let ends = [setter, waiter].map(|child| end_of(&mut children, child));
    let text = match ends {
        [End::GoesOn, End::GoesOn] => SET,
        [End::GoesOn, _] => "set it, and **one sleeps on**",
        _ => "**hang** as they set it",
    };
    Row::new("one who waits for an event", rival, text).promised(SET)
}

/// Again and again one waits, and another notifies one.
fn waiting_for_a_condition<M: Monitor>(rival: &str, make: impl FnOnce() -> M) -> Row {
    const SOUND: &str = "each notify ends a wait";
    const NOTIFIES: u32 = 5;
    // Not dropped: to destroy a condition that a dead one waits for may last for ever, too.
    let (monitor, mut children) = (ManuallyDrop::new(make()), Children::default());
    let wait = || drop(monitor.condition(0).wait(monitor.lock()));
    let notify = || {
        let _guard = monitor.lock();
        monitor.condition(0).notify_one();
    };
    let victim = actor(&mut children, wait);
    await_sleep(victim);
    kill(&mut children, victim);

    let (mut waiters, mut lost) = (Vec::new(), 0);
    let mut hangs = false;
    for _ in 0..NOTIFIES {
        let waiter = actor(&mut children, wait);
        await_sleep(waiter);
        waiters.push(waiter);
        let notifier = actor(&mut children, notify);
        hangs = end_of(&mut children, notifier) == End::Hangs;
        if hangs {
            break;
        }
        lost += u32::from(!one_ends(&mut children, &mut waiters));
    }
    let text = match (lost, hangs) {
        (0, false) => SOUND.to_owned(),
        (0, true) => "**hang** as they notify".to_owned(),
        (lost, false) => format!("**{lost} of {NOTIFIES} notifications are lost**"),
        (lost, true) => format!("**{lost} notifications are lost, the next one hangs**"),
    };
    Row::new("one who waits for a condition", rival, text).promised(SOUND)
}

fn waiting_at_a_barrier<H: Deref<Target: Barrier>>(rival: &str, make: impl FnOnce() -> H) -> Row {
    let (barrier, mut children) = (make(), Children::default());
    let victim = actor(&mut children, || barrier.wait());
    await_sleep(victim);
    kill(&mut children, victim);
    let others = [(); 2].map(|()| actor(&mut children, || barrier.wait()));
    let text = match others.map(|child| end_of(&mut children, child)) {
        [End::GoesOn, End::GoesOn] => "two living and one dead **pass a barrier of three**",
        [End::IsTold, End::IsTold] => End::IsTold.text(),
        _ => End::Hangs.text(),
    };
    Row::new("a party that waits at a barrier", rival, text).promised(End::IsTold.text())
}
