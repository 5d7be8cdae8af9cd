//! A hundred processes that would all like to make the same value, while many of them are killed.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use procsync::{Shared, unlink};
use tempfile::TempDir;

use crate::common::{Child, End, Gate, Mapped, Plain, fork, until};
use crate::{files_in, name_in, open_to_all};

procsync::shareable! {
    /// All of it says who made it.
    struct Claim { makers: [AtomicU32; 8192] }
}

const CROWD: usize = 100;
/// So many of them find no value, and have all made one before the first gives its own the name. The others
/// come meanwhile.
const MAKERS: usize = 60;
const BOUND: Duration = Duration::from_secs(30);
/// So many are to be killed before they have the value; how many rounds that takes depends on the machine.
const DEATHS: usize = 100;

/// What each of them has seen: the maker; 0: it has not come to that.
type Seen = [AtomicU32; CROWD];

/// Where they wait for each other.
#[repr(C)]
struct Start {
    gate: Gate,
    /// How many of the makers have come.
    makers: AtomicU32,
}

// SAFETY: atomics.
unsafe impl Plain for Start {}

fn claim(name: &str, made: impl FnOnce()) -> u32 {
    let me = std::process::id();
    let make = || {
        made();
        Claim {
            makers: std::array::from_fn(|_| AtomicU32::new(me)),
        }
    };
    let claim = Shared::open_or_create(name, make).unwrap();
    let maker = claim.makers[0].load(Relaxed);
    assert!(maker != 0 && claim.makers.iter().all(|one| one.load(Relaxed) == maker));
    maker
}

fn gather(name: &str, start: &Start, seen: &Seen) -> Vec<Child> {
    let wait = || start.gate.wait();
    let come_and_wait = || {
        start.makers.fetch_add(1, Relaxed);
        wait();
    };
    let one = |i: usize| {
        fork(|| {
            let maker = if i < MAKERS {
                claim(name, come_and_wait)
            } else {
                wait();
                claim(name, || ())
            };
            seen[i].store(maker, Relaxed);
        })
    };
    let crowd = (0..CROWD).map(one).collect();
    until(|| start.makers.load(Relaxed) as usize == MAKERS).unwrap();
    crowd
}

/// Kills every second one, in no order, one after the other, a few microseconds apart.
fn kill_some(crowd: &[Child], random: &mut fastrand::Rng) {
    let mut victims: Vec<&Child> = crowd.iter().step_by(2).collect();
    random.shuffle(&mut victims);
    for victim in victims {
        (0..random.u32(0..1000)).for_each(|_| std::hint::spin_loop());
        victim.send_kill();
    }
}

/// How many were killed before they had the value.
fn round(directory: &TempDir, random: &mut fastrand::Rng) -> usize {
    let name = name_in(directory, "x");
    let (start, seen) = (Mapped::<Start>::zeroed(), Mapped::<Seen>::zeroed());
    let crowd = gather(&name, &start, &seen);
    start.gate.open();
    kill_some(&crowd, random);
    let pids: Vec<u32> = crowd.iter().map(Child::tid).collect();
    for (i, child) in crowd.into_iter().enumerate() {
        let end = child.join().unwrap();
        let may_be_killed = i % 2 == 0 && matches!(end, End::Killed(_));
        assert!(end == End::Exited(0) || may_be_killed, "{i}: {end:?}");
    }
    let made_by = claim(&name, || ());
    assert!(pids.contains(&made_by), "{made_by}");
    let seen: Vec<u32> = seen.iter().map(|maker| maker.load(Relaxed)).collect();
    assert!(
        seen.iter().all(|maker| [0, made_by].contains(maker)),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .skip(1)
            .step_by(2)
            .all(|maker| *maker == made_by)
    );
    assert_eq!(files_in(directory), ["x"]);
    unlink(&name).unwrap();
    assert_eq!(files_in(directory), [""; 0]);
    seen.iter().filter(|maker| **maker == 0).count()
}

#[test]
fn one_of_a_crowd_wins_whoever_is_killed_and_nothing_is_left() {
    let directory = open_to_all();
    let mut random = fastrand::Rng::with_seed(7);
    let start = Instant::now();
    let mut killed = 0;
    while killed < DEATHS {
        killed += round(&directory, &mut random);
        assert!(start.elapsed() < BOUND, "only {killed} were killed in time");
    }
}
