//! A guard that another thread is to drop.

use procsync::Lock;

static LOCK: Lock<u32> = Lock::new(0);

fn main() {
    let guard = LOCK.acquire().unwrap();
    std::thread::spawn(move || drop(guard));
}
