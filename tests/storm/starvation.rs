//! Too few processors: some workers may run on one only, where others run without end, and are the least
//! important there.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::books::{Books, Presence, desks_of};
use crate::common::{Child, fork};

const HOGS: usize = 3;

/// Who has a lock meanwhile, keeps all others waiting.
const LONGEST: Duration = Duration::from_millis(200);

/// As long as this lives.
pub(crate) struct Starvation {
    books: &'static Books,
    places: Vec<usize>,
    all: CpuSet,
    begun: Instant,
    _hogs: Vec<Child>,
}

impl Starvation {
    pub(crate) fn begin(books: &'static Books, places: Vec<usize>) -> Self {
        let all = sched_getaffinity(Pid::from_raw(0)).expect("the kernel tells");
        let one = first_of(&all);
        let hog = |_| {
            fork(|| {
                pin(Pid::from_raw(0), &one);
                loop {
                    std::hint::spin_loop();
                }
            })
        };
        let hogs = (0..HOGS).map(hog).collect();
        for (number, &place) in places.iter().enumerate() {
            for victim in threads_at(books, place) {
                pin(victim, &one);
                if number % 2 == 0 {
                    set_policy(victim, libc::SCHED_IDLE);
                } else {
                    set_niceness(victim, 19);
                }
            }
        }
        Self {
            books,
            places,
            all,
            begun: Instant::now(),
            _hogs: hogs,
        }
    }
}

impl Starvation {
    pub(crate) fn is_enough(&self) -> bool {
        self.begun.elapsed() > LONGEST
    }
}

impl Drop for Starvation {
    fn drop(&mut self) {
        let (books, places) = (self.books, &self.places);
        for victim in places.iter().flat_map(|&place| threads_at(books, place)) {
            pin(victim, &self.all);
            set_policy(victim, libc::SCHED_OTHER);
            set_niceness(victim, 0);
        }
    }
}

/// A worker, its thread, and its child, which inherits hunger. Who ends meanwhile, is not harmed.
fn threads_at(books: &'static Books, place: usize) -> impl Iterator<Item = Pid> {
    let desks = desks_of(place).map(|desk| &books.desks[desk]).into_iter();
    let at_work = desks.filter(|desk| desk.presence() == Presence::Working);
    at_work.map(|desk| Pid::from_raw(desk.thread.load(SeqCst) as i32))
}

fn first_of(all: &CpuSet) -> CpuSet {
    let mut one = CpuSet::new();
    let first = (0..CpuSet::count()).find(|&number| all.is_set(number).unwrap_or(false));
    one.set(first.expect("it runs on one")).expect("it is one");
    one
}

fn pin(process: Pid, to: &CpuSet) {
    // It may have ended.
    let _ = sched_setaffinity(process, to);
}

/// Back to normal it may be allowed to privileged processes only; else it stays so until it goes home.
fn set_policy(process: Pid, policy: i32) {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: a valid argument. It may have ended.
    unsafe { libc::sched_setscheduler(process.as_raw(), policy, &raw const parameters) };
}

/// Likewise.
fn set_niceness(process: Pid, niceness: i32) {
    // SAFETY: takes numbers. It may have ended.
    unsafe {
        libc::setpriority(
            libc::PRIO_PROCESS,
            process.as_raw().unsigned_abs(),
            niceness,
        )
    };
}
