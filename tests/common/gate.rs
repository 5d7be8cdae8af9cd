//! A gate that processes wait at, asleep.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex;

use super::Plain;

/// Closed at first; opened once. Independent of what is tested.
#[repr(transparent)]
#[derive(Default)]
pub struct Gate(AtomicU32);

// SAFETY: an atomic.
unsafe impl Plain for Gate {}

const OPEN: u32 = 1;

impl Gate {
    pub fn open(&self) {
        self.0.store(OPEN, Ordering::SeqCst);
        futex::wake(&self.0, futex::Flags::empty(), u32::MAX >> 1).expect("gates can be opened");
    }

    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst) == OPEN
    }

    pub fn wait(&self) {
        while !self.is_open() {
            // Whatever ends it, the word tells.
            let _ = futex::wait(&self.0, futex::Flags::empty(), 0, None);
        }
    }
}
