// For the examples of surviving.md: a change dies before each of its steps, and each time the repair by who
// comes next dies before each of its own.

use std::cell::Cell as Counter;
use std::thread;

thread_local!(static STEPS: Counter<u32> = const { Counter::new(u32::MAX) });

/// A place to die: by a panic, which poisons what a thread holds as a death does.
fn step() {
    STEPS.set(STEPS.get().checked_sub(1).expect("killed here"));
}

/// Whether `f` comes to its end on a thread that has so many steps to live.
fn lives<T: Sync>(steps: u32, value: &T, f: impl Fn(&T) + Sync) -> bool {
    let mortal = || {
        STEPS.set(steps);
        f(value);
    };
    thread::scope(|threads| threads.spawn(mortal).join().is_ok())
}

/// `check` acquires, which repairs, and must then find what is whole: all of it, if the change is done.
fn die_everywhere<T: Sync>(make: fn() -> T, change: fn(&T), check: fn(&T, bool)) {
    for first in 0.. {
        for second in 0.. {
            let value = make();
            let is_done = lives(first, &value, change);
            let is_repaired = lives(second, &value, |value| check(value, is_done));
            check(&value, is_done);
            match (is_repaired, is_done) {
                (true, true) => return,
                (true, false) => break,
                (false, _) => {}
            }
        }
    }
}
