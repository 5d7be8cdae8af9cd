//! Values without a name.

use std::os::fd::{AsFd, AsRawFd};

use procsync::{Lock, Shared};

use crate::common::pipe;
use crate::{parts, printed, refused};

#[test]
fn an_anonymous_value_is_reached_through_a_process_that_has_it() {
    let value = Shared::anonymous(Lock::new(5_u32)).unwrap();
    let guard = value.acquire().unwrap();
    let path = |fd: i32| format!("/proc/{}/fd/{fd}", std::process::id());
    let lines = parts(&printed(&["inspect", &path(value.as_fd().as_raw_fd())]));
    let held = format!("value Lock held by {}", value.owner().unwrap());
    assert!(lines[0].starts_with(&held), "{lines:?}");
    assert_eq!(lines[1], "*value u32 5");
    drop(guard);
    let (pipe, _other_end) = pipe();
    assert!(refused(&["inspect", &path(pipe.as_raw_fd())]).contains("not a regular file"));
}
