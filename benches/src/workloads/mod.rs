//! What the rivals have to do, one family of workloads a file.

mod barrier;
mod broadcast;
mod contended;
mod death;
mod growth;
mod overshoot;
mod ping_pong;
mod queue;
mod sharing;
mod uncontended;

use crate::measure::Workload;

/// The whole table, in the order in which it is shown.
pub fn all() -> Vec<Workload> {
    // glibc leaves the locked instructions out as long as a process has never had a second thread.
    // Who needs a lock has one.
    std::thread::spawn(|| ()).join().expect("it does nothing");
    let families = [
        uncontended::all,
        contended::all,
        ping_pong::all,
        broadcast::all,
        barrier::all,
        queue::all,
        overshoot::all,
        death::all,
        sharing::all,
        growth::all,
    ];
    families.into_iter().flat_map(|family| family()).collect()
}
