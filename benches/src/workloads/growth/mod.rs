//! How cost grows with the number of waiters, of primitives, of held locks.

mod held;
mod primitives;
mod waiters;

use crate::measure::Workload;

pub(super) fn all() -> Vec<Workload> {
    let families = [waiters::all, primitives::all, held::all];
    families.into_iter().flat_map(|family| family()).collect()
}
