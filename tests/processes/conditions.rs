//! Deaths on the way from a wait to the lock.

use std::time::Duration;

use procsync::{Condition, Lock};

use crate::common::held::until_asleep;
use crate::common::{Child, End, Mapped, Plain, fork, sleepers, until};

struct Meeting {
    condition: Condition,
    lock: Lock<u32>,
}

// SAFETY: promised in the documentation of both.
unsafe impl Plain for Meeting {}

impl Meeting {
    /// A process that waits.
    fn attend(&self) -> Child {
        fork(|| {
            let mut guard = self.lock.acquire().expect("no holder dies");
            self.condition.wait(&mut guard).expect("no holder dies");
        })
    }

    fn until_waiting(&self, count: usize) {
        until(|| sleepers(&self.condition) == count).expect("they fall asleep");
    }
}

/// As many may be on their way from a wait to the lock at a time.
const RETURNING: usize = 5;

#[test]
fn those_who_died_returning_from_a_wait_keep_nobody_waiting() {
    let meeting: Mapped<Meeting> = Mapped::zeroed();
    let returning: Vec<Child> = (0..RETURNING).map(|_| meeting.attend()).collect();
    meeting.until_waiting(RETURNING);
    let guard = meeting.lock.acquire().expect("no holder dies");
    meeting.condition.notify_all();
    until_asleep(&meeting.lock, RETURNING);
    returning.into_iter().for_each(Child::kill);
    drop(guard);

    let next = meeting.attend();
    meeting.until_waiting(1);
    meeting.condition.notify_one();
    // A second is how long it would take to find out by looking around.
    let end = next.join_within(Duration::from_millis(700));
    assert_eq!(end, Ok(End::Exited(0)));
}
