//! A destructor that would never run.

procsync::shareable! { struct State { a: u32 } }

impl Drop for State {
    fn drop(&mut self) {}
}

fn main() {}
