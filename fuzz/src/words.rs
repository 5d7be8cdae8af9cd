//! Memory as words that anybody may write, whatever lies there.

use std::sync::atomic::{AtomicU32, Ordering};

/// The memory of a value of the crate, which somebody scribbles over while others use it.
#[derive(Clone, Copy)]
pub struct Words<'memory>(&'memory [AtomicU32]);

impl<'memory> Words<'memory> {
    /// Of a value that consists of atomics and cells of integers, and is valid for any bit pattern, as
    /// all of the crate's are.
    pub fn of<T>(value: &'memory T) -> Self {
        const { assert!(align_of::<T>() >= 4) };
        let start = std::ptr::from_ref(value).cast::<AtomicU32>();
        // SAFETY: within the value, aligned to 4; all that it consists of may change behind a shared
        // reference.
        Self(unsafe { std::slice::from_raw_parts(start, size_of::<T>() / 4) })
    }

    /// The first of them.
    pub fn first(self, count: usize) -> Self {
        Self(&self.0[..count])
    }

    /// The word at a place; past the end it begins once more.
    pub fn at(self, place: usize) -> &'memory AtomicU32 {
        &self.0[place % self.0.len()]
    }

    pub fn write(self, place: usize, value: u32) {
        self.at(place).store(value, Ordering::SeqCst);
    }

    /// As many as there are values.
    pub fn fill(self, values: &[u32]) {
        for (word, &value) in self.0.iter().zip(values) {
            word.store(value, Ordering::SeqCst);
        }
    }
}
