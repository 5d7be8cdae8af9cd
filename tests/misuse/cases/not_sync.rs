//! A cell that no lock protects.

use std::cell::Cell;

use procsync::Shared;

procsync::shareable! { struct State { hits: Cell<u32> } }

fn main() {
    let _ = Shared::anonymous(State { hits: Cell::new(1) });
    let _ = Shared::<Cell<u32>>::open("/state");
}
