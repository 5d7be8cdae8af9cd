//! libc's, of POSIX threads, process-shared where nothing else is said.

mod barrier;
mod condition;
mod mutex;

pub(crate) use barrier::Barrier;
pub(crate) use condition::Condition;
pub(crate) use mutex::{Kind, Mutex};

use crate::traits::{Monitor, Parts};

pub(crate) fn monitor(kind: Kind) -> impl Monitor<Lock: Sync, Condition: Sync> + Sync {
    Parts {
        lock: Mutex::new(kind),
        conditions: [Condition::new(), Condition::new()],
    }
}
