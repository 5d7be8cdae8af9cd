//! Primitives in memory that holds anything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use procsync_fuzz::garbage::{Scene, play};

fuzz_target!(|input: Scene| play(&input));
