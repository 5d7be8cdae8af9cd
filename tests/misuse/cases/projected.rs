//! Parts of a shared value that are none.

use procsync::{Lock, Shared};

fn main() {
    let shared = Shared::anonymous(Lock::new(1_u32)).unwrap();
    let local = 5;
    let _ = shared.project(|_| &local);
    let _ = shared.project(|lock| &(lock.waiters() + 1));
    let _ = shared.project(|lock| &*lock.acquire().unwrap());
}
