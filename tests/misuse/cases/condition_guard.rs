//! Waits with what is no guard of this crate.

use procsync::{Condition, Lock};

fn main() {
    let condition = Condition::new();

    let mutex = std::sync::Mutex::new(0);
    let mut guard = mutex.lock().unwrap();
    let _ = condition.wait(&mut guard);

    let lock = Lock::new(0);
    let _ = condition.wait_for(&mut lock.acquire(), |_| true);
}
