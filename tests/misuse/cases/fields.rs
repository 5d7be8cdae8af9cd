//! Fields that mean something to one process only, or have bits that mean nothing.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

enum Colour {
    Red,
}

struct Other {
    a: u32,
}

procsync::shareable! {
    struct State {
        vec: Vec<u8>,
        string: String,
        boxed: Box<u8>,
        text: &'static str,
        flag: bool,
        letter: char,
        colour: Colour,
        maybe: Option<u32>,
        mutex: Mutex<u32>,
        counted: Arc<u32>,
        atomic: AtomicBool,
        pair: (u32, u32),
        time: Duration,
        other: Other,
    }
}

fn main() {}
