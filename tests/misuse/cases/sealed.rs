//! A guard of somebody else.

use procsync::ConditionGuard;

struct Mine;

impl std::ops::Deref for Mine {
    type Target = u32;

    fn deref(&self) -> &u32 {
        &0
    }
}

impl ConditionGuard for Mine {}

fn main() {}
