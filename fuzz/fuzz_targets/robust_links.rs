//! Hostile writes over what a thread holds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use procsync_fuzz::robust_links::{Story, play};

fuzz_target!(|input: Story| play(&input));
