//! What the targets do with their inputs. Each target is one function here; those in `fuzz_targets`
//! only hand the input over, so that whatever is found can be run, read and shared in plain Rust.

pub mod child;
pub mod garbage;
pub mod headers;
pub mod operations;
pub mod robust_links;
pub mod sleepers;
pub mod words;

use std::time::{Duration, Instant};

/// Who should go on and has not within this time is stuck.
pub const BOUND: Duration = Duration::from_secs(10);

/// Waits until `condition` holds, [`BOUND`] at most; whether it does.
pub fn until(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + BOUND;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// The calling thread, as the locks name it.
pub fn this_thread() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}
