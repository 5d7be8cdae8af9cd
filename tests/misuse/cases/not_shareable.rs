//! A struct that `shareable!` has not seen, and what only one process may have.

use procsync::{Lock, Shared};

struct State {
    hits: u64,
}

fn main() {
    let _ = Shared::create("/state", State { hits: 0 });
    let _ = Shared::<State>::open("/state");
    let _ = Shared::anonymous(Lock::new(vec![1]));
}
