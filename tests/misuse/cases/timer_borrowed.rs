//! A timer that may be gone before its thread.

use std::time::Duration;

use procsync::Timer;

fn main() {
    let timer = Timer::new();
    let _ = Timer::start(&timer, Duration::ZERO, || ());
}
