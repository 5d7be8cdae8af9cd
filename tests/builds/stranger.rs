//! A program that uses the crate from outside. The tests build it in several ways, and let the results meet.

use std::cell::Cell;

use procsync::{
    AcquireError, Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, Shareable,
    Shared, Timer,
};

procsync::shareable! {
    pub struct Tally { hands: [u16; 3], total: u64 }
}

#[cfg(not(feature = "other"))]
procsync::shareable! {
    pub struct State {
        tally: Lock<Tally>,
        again: RLock<Cell<u32>>,
        semaphore: Semaphore,
        bounded: BoundedSemaphore,
        event: Event,
        condition: Condition,
        barrier: Barrier,
        timer: Timer,
    }
}

// As long as the other, with the same alignment and the same names.
#[cfg(feature = "other")]
procsync::shareable! {
    pub struct State {
        tally: Lock<Tally>,
        again: RLock<Cell<i32>>,
        semaphore: Semaphore,
        bounded: BoundedSemaphore,
        event: Event,
        condition: Condition,
        barrier: Barrier,
        timer: Timer,
    }
}

fn state() -> State {
    State {
        tally: Lock::new(Tally {
            hands: [0; 3],
            total: 0,
        }),
        again: RLock::new(Cell::new(0)),
        semaphore: Semaphore::new(1),
        bounded: BoundedSemaphore::new(2),
        event: Event::new(),
        condition: Condition::new(),
        barrier: Barrier::new(2),
        timer: Timer::new(),
    }
}

fn add(state: &State) -> String {
    match state.tally.acquire() {
        Ok(mut tally) => {
            tally.hands[1] += 1;
            tally.total += 1;
            tally.total.to_string()
        }
        Err(AcquireError::Poisoned(_)) => "poisoned".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

/// Meets another one that does the same.
fn meet(state: &State) -> String {
    let meeting = state.barrier.wait().expect("the other comes");
    if meeting.is_leader() {
        state.semaphore.acquire().forget();
        state.event.set();
    } else {
        state.event.wait();
        assert_eq!(state.semaphore.available_permits(), 0);
    }
    "met".to_owned()
}

/// Dies with the lock held.
fn die(state: &State) -> ! {
    std::mem::forget(state.tally.acquire());
    std::process::abort()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (deed, name) = (arguments[1].as_str(), arguments[2].as_str());
    if deed == "layout" {
        return println!("{:#x} {}", State::LAYOUT, size_of::<State>());
    }
    let opened = match deed {
        "create" => Shared::create(name, state()),
        _ => Shared::open(name),
    };
    let answer = match (deed, opened) {
        (_, Err(error)) => format!("{error:?}"),
        ("create", Ok(_)) => "made".to_owned(),
        ("add", Ok(state)) => add(&state),
        ("meet", Ok(state)) => meet(&state),
        ("die", Ok(state)) => die(&state),
        (other, Ok(_)) => panic!("unknown: {other}"),
    };
    println!("{answer}");
}
