//! Numbers that no value can have.

use procsync::{Barrier, BoundedSemaphore, Semaphore};

static MANY: Semaphore = Semaphore::new(u32::MAX);
static BOUND: BoundedSemaphore = BoundedSemaphore::new(u32::MAX);
static NOBODY: Barrier = Barrier::new(0);

fn main() {}
