//! Operations on all primitives, by several threads, against a model.

#![no_main]

use libfuzzer_sys::fuzz_target;
use procsync_fuzz::operations::{Sequence, play};

fuzz_target!(|sequence: Sequence| play(&sequence));
