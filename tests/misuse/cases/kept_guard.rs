//! A guard that outlives its lock, or its mapping.

use procsync::{Lock, Shared};

fn main() {
    let guard = {
        let lock = Lock::new(0);
        lock.acquire().unwrap()
    };
    drop(guard);

    let shared = Shared::anonymous(Lock::new(0_u32)).unwrap();
    let guard = shared.acquire().unwrap();
    drop(shared);
    drop(guard);
}
