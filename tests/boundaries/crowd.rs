//! A hundred processes that would all like to make the same value, while many of them are killed.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use procsync::{Shared, unlink};
use tempfile::TempDir;

use crate::common::{Child, End, Gate, Mapped, fork};
use crate::{files_in, name_in, open_to_all};

procsync::shareable! {
    /// All of it says who made it.
    struct Claim { makers: [AtomicU32; 8192] }
}

const CROWD: usize = 100;
const BOUND: Duration = Duration::from_secs(30);
/// So many are to be killed before they have the value; how many rounds that takes depends on the machine.
const DEATHS: usize = 100;

/// What each of them has seen: the maker; 0: it has not come to that.
type Seen = [AtomicU32; CROWD];

fn claim(name: &str) -> u32 {
    let me = std::process::id();
    let make = || Claim {
        makers: std::array::from_fn(|_| AtomicU32::new(me)),
    };
    let claim = Shared::open_or_create(name, make).unwrap();
    let maker = claim.makers[0].load(Relaxed);
    assert!(maker != 0 && claim.makers.iter().all(|one| one.load(Relaxed) == maker));
    maker
}

fn gather(name: &str, gate: &Gate, seen: &Seen) -> Vec<Child> {
    let one = |i: usize| {
        fork(|| {
            gate.wait();
            seen[i].store(claim(name), Relaxed);
        })
    };
    (0..CROWD).map(one).collect()
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
    let (gate, seen) = (Mapped::<Gate>::zeroed(), Mapped::<Seen>::zeroed());
    let crowd = gather(&name, &gate, &seen);
    gate.open();
    kill_some(&crowd, random);
    let pids: Vec<u32> = crowd.iter().map(Child::tid).collect();
    for (i, child) in crowd.into_iter().enumerate() {
        let end = child.join().unwrap();
        let may_be_killed = i % 2 == 0 && matches!(end, End::Killed(_));
        assert!(end == End::Exited(0) || may_be_killed, "{i}: {end:?}");
    }
    let made_by = claim(&name);
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
