//! Signal handlers that use the crate: they set the alarms, post mail, and give permits back that their
//! process keeps.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal};
use nix::sys::signal::{sigaction, sigprocmask};

use crate::books::{Count, Desk, Total};
use crate::storm::Storm;
use crate::world::World;

/// One may interrupt the other's handler.
pub(crate) const SIGNALS: [Signal; 2] = [Signal::SIGUSR1, Signal::SIGUSR2];

static STORM: AtomicPtr<Storm> = AtomicPtr::new(std::ptr::null_mut());
static DESK: AtomicUsize = AtomicUsize::new(0);

/// From now on this process handles signals, for that desk.
pub(crate) fn install(storm: &'static Storm, desk: usize) {
    DESK.store(desk, SeqCst);
    STORM.store(std::ptr::from_ref(storm).cast_mut(), SeqCst);
    let handler = SigHandler::Handler(handle);
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    for signal in SIGNALS {
        // SAFETY: the handler uses atomics, and what the crate allows in handlers.
        unsafe { sigaction(signal, &action) }.expect("a handler can be set");
    }
}

/// For a thread beside the one that signals are for, and for one that is about to become another program.
pub(crate) fn block() {
    let signals: SigSet = SIGNALS.into_iter().collect();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&signals), None).expect("signals can be blocked");
}

extern "C" fn handle(_: i32) {
    // SAFETY: set before the handler was, to what is never freed.
    let storm = unsafe { &*STORM.load(SeqCst) };
    let desk = &storm.books.desks[DESK.load(SeqCst)];
    for (number, world) in storm.worlds.all.iter().enumerate() {
        desk.handling(number, || handle_in(storm, desk, number, world));
    }
    storm.books.total(Total::Handled).fetch_add(1, SeqCst);
    desk.handled.fetch_add(1, SeqCst);
}

fn handle_in(storm: &Storm, desk: &Desk, number: usize, world: &World) {
    let books = &storm.books;
    books.add(number, Count::Alarms);
    world.alarm.set();
    let was_posted = world.mail.release(1).is_ok();
    books.add(
        number,
        if was_posted {
            Count::Posted
        } else {
            Count::Refused
        },
    );
    let [owed, owed_bounded] = &desk.owed[number];
    let take = |owed: u32| owed.checked_sub(1);
    let pay = |is_paid: bool| {
        if !is_paid {
            books.add(number, Count::Refused);
        }
    };
    if owed.fetch_update(SeqCst, SeqCst, take).is_ok() {
        pay(world.semaphore.release(1).is_ok());
    }
    if owed_bounded.fetch_update(SeqCst, SeqCst, take).is_ok() {
        pay(world.bounded.release(1).is_ok());
    }
}
