//! Changes through what others may have at the same time.

use procsync::{RLock, Shared};

fn main() {
    let lock = RLock::new(0);
    let mut guard = lock.acquire().unwrap();
    *guard = 1;

    let mut shared = Shared::anonymous(0_u32).unwrap();
    *shared = 1;
}
