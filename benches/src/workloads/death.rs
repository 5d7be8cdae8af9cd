//! A holder is killed: the time until the next one has the lock.

use std::mem::forget;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Instant;

use procsync::Shared;

use crate::measure::{Entry, Sample, Workload, nanoseconds};
use crate::processes::{Children, Cores, settle, until};
use crate::rivals::{ours, pthread, pthread::Kind};
use crate::traits::Lock;

const ROUND: [u64; 2] = [1, 5];
const ROBUST: &str = "pthread robust";

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::new("death of a holder", "ns a death", ROBUST, ROUND, entries).target(
            "procsync Lock",
            ROBUST,
            1.2,
        ),
    ]
}

procsync::shareable! {
    #[derive(Default)]
    struct Scene {
        holders: AtomicU64,
        heirs: AtomicU64,
        /// When the heir had it.
        inherited: AtomicU64,
    }
}

fn entries() -> Vec<Entry> {
    fn entry<H: Deref<Target: Lock> + 'static>(rival: &str, handle: H) -> Entry {
        let scene = ours::shared(Scene::default());
        let epoch = Instant::now();
        Entry::new(rival, move |deaths| {
            let times = (0..deaths).map(|_| death(&*handle, &scene, epoch));
            Sample::of(times.sum(), deaths)
        })
    }
    vec![
        entry("procsync Lock", ours::shared(procsync::Lock::new(()))),
        entry(ROBUST, pthread::Mutex::new(Kind::ROBUST)),
    ]
}

fn death(lock: &impl Lock, scene: &Shared<Scene>, epoch: Instant) -> u64 {
    let now = || nanoseconds(epoch.elapsed());
    scene.holders.store(0, Release);
    scene.heirs.store(0, Release);
    let mut children = Children::default();
    let holder = children.fork(|| {
        Cores::Apart.pin(0);
        forget(lock.lock());
        scene.holders.store(1, Release);
        loop {
            std::thread::park();
        }
    });
    until("the holder", || scene.holders.load(Acquire) == 1);
    children.fork(|| {
        Cores::Apart.pin(1);
        scene.heirs.store(1, Release);
        let is_told = lock.tells_of_death();
        scene.inherited.store(now(), Release);
        assert!(is_told, "the holder has died");
    });
    until("the heir", || scene.heirs.load(Acquire) == 1);
    settle();
    let start = now();
    Children::kill(holder);
    children.bury(holder);
    children.join();
    scene.inherited.load(Acquire) - start
}
