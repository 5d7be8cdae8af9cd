//! A timer that nobody but its thread would have.

use std::time::Duration;

use procsync::Timer;

fn main() {
    let _ = Timer::start(Timer::new(), Duration::ZERO, || ());
}
