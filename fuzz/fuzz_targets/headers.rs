//! Files that are almost values in shared memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use procsync_fuzz::headers::{Case, play};

fuzz_target!(|input: Case| play(&input));
