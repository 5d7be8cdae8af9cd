//! Primitives in memory that holds anything, and in which somebody keeps scribbling: wrong answers, but no
//! panic, no undefined behaviour, and no wait that a timeout cannot end.
//!
//! Whoever hangs runs into the fuzzer's own timeout.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, Shareable, Shared, Timer,
};

use crate::this_thread;
use crate::words::Words;

#[derive(Arbitrary, Debug)]
pub struct Scene {
    pub shared: bool,
    pub primitive: Primitive,
    /// What the memory holds at first; zeros from its end on.
    pub words: [u32; 26],
    /// By the first thread, or by the second.
    pub deeds: Vec<(bool, Deed)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Primitive {
    Lock,
    RLock,
    Semaphore,
    BoundedSemaphore,
    Event,
    Condition,
    Barrier,
    Timer,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Deed {
    Scribble {
        place: u8,
        value: u32,
    },
    /// With the TID of the thread that does it, and some bits beside it.
    ScribbleTid {
        place: u8,
        bits: u8,
    },
    /// An operation: which one depends on the primitive.
    Operation(u8),
}

/// More deeds show nothing more.
const DEEDS_MAX: usize = 16;

const MOMENT: Duration = Duration::from_micros(200);

impl Scene {
    fn has_two_threads(&self) -> bool {
        self.deeds.iter().any(|deed| deed.0)
    }
}

/// Sets the scene, and plays it on threads of its own, which end with it.
pub fn play(scene: &Scene) {
    match scene.primitive {
        Primitive::Lock => alone(scene, Lock::new(0), lock),
        Primitive::RLock => alone(scene, RLock::new(Cell::new(0)), nested),
        Primitive::Semaphore => alone(scene, Semaphore::new(0), semaphore),
        Primitive::BoundedSemaphore => alone(scene, BoundedSemaphore::new(0), bounded),
        Primitive::Event => alone(scene, Event::new(), event),
        Primitive::Condition => place(
            scene,
            Room {
                condition: Condition::new(),
                lock: Lock::new(0),
                nested: RLock::new(0),
            },
            |room| Words::of(&room.condition).first(ALL_BUT_A_PLACE),
            condition,
        ),
        Primitive::Barrier => alone(scene, Barrier::new(1), barrier),
        Primitive::Timer => alone(scene, Timer::new(), |one, which| {
            if which % 8 == 7 && !scene.has_two_threads() {
                run(one);
            } else {
                timer(one, which);
            }
        }),
    }
}

/// A primitive that needs no other.
fn alone<P: Shareable + Sync>(scene: &Scene, primitive: P, operate: impl Fn(&P, u8) + Sync) {
    place(scene, primitive, |primitive| Words::of(primitive), operate);
}

/// Puts it where the scene wants it, the garbage over it, and lets the threads do their deeds.
fn place<P: Shareable + Sync>(
    scene: &Scene,
    props: P,
    words: impl Fn(&P) -> Words<'_>,
    operate: impl Fn(&P, u8) + Sync,
) {
    let begin = |props: &P| {
        let words = words(props);
        words.fill(&scene.words);
        enter(scene, words, |which| operate(props, which));
    };
    if scene.shared {
        begin(&Shared::anonymous(props).expect("memory can be had"));
    } else {
        begin(&Box::new(props));
    }
}

fn enter(scene: &Scene, words: Words<'_>, operate: impl Fn(u8) + Sync) {
    let operate = &operate;
    thread::scope(|scope| {
        let threads = [false, true].map(|second| {
            let mine = scene.deeds.iter().filter(move |deed| deed.0 == second);
            let deeds = mine.map(|deed| deed.1).take(DEEDS_MAX).collect::<Vec<_>>();
            (!deeds.is_empty()).then(|| scope.spawn(move || act(&deeds, words, operate)))
        });
        for thread in threads.into_iter().flatten() {
            thread.join().expect("a panic has ended the process");
        }
    });
}

fn act(deeds: &[Deed], words: Words<'_>, operate: impl Fn(u8)) {
    for deed in deeds {
        match *deed {
            Deed::Scribble { place, value } => words.write(place.into(), value),
            Deed::ScribbleTid { place, bits } => {
                words.write(place.into(), this_thread() | u32::from(bits) << 24);
            }
            Deed::Operation(which) => operate(which),
        }
    }
}

fn soon() -> Instant {
    Instant::now() + MOMENT
}

fn lock(lock: &Lock<u32>, which: u8) {
    match which % 8 {
        0 => drop(
            lock.try_acquire()
                .map(|mut guard| *guard = guard.wrapping_add(1)),
        ),
        1 => drop(lock.acquire_timeout(MOMENT)),
        2 => drop(lock.acquire_until(soon())),
        3 => lock.clear_poison(),
        4 => drop(format!("{lock:?} {:?} {}", lock.owner(), lock.is_locked())),
        5 => drop((lock.is_poisoned(), lock.is_owned_by_current_thread())),
        6 => drop(lock.waiters()),
        _ => drop(
            lock.acquire_timeout(Duration::ZERO)
                .map_err(|error| error.into_guard()),
        ),
    }
}

fn nested(lock: &RLock<Cell<u32>>, which: u8) {
    match which % 8 {
        0 => drop(lock.try_acquire().map(|guard| guard.set(guard.depth()))),
        1 => drop(lock.acquire_timeout(MOMENT)),
        2 => drop((lock.try_acquire(), lock.acquire_until(soon()))),
        3 => lock.clear_poison(),
        4 => drop(format!("{lock:?} {:?} {}", lock.owner(), lock.is_locked())),
        5 => drop((lock.is_poisoned(), lock.is_owned_by_current_thread())),
        6 => drop(lock.waiters()),
        _ => drop((lock.try_acquire(), lock.try_acquire(), lock.try_acquire())),
    }
}

/// The same methods for both kinds.
macro_rules! permits {
    ($name:ident, $Semaphore:ty) => {
        fn $name(semaphore: &$Semaphore, which: u8) {
            match which % 8 {
                0 => drop(semaphore.try_acquire()),
                1 => drop(semaphore.acquire_timeout(MOMENT)),
                2 => drop(semaphore.acquire_until(soon())),
                3 => semaphore
                    .try_acquire()
                    .into_iter()
                    .for_each(|permit| permit.forget()),
                4 => drop(semaphore.release(1)),
                5 => drop(semaphore.release(u32::MAX)),
                6 => drop(semaphore.release(7)),
                _ => {
                    let _ = format!("{semaphore:?}");
                    assert!(semaphore.available_permits() <= Semaphore::MAX_PERMITS);
                }
            }
        }
    };
}
permits!(semaphore, Semaphore);
permits!(bounded, BoundedSemaphore);

fn event(event: &Event, which: u8) {
    match which % 5 {
        0 => event.set(),
        1 => event.clear(),
        2 => drop(event.wait_timeout(MOMENT)),
        3 => drop(event.wait_until(soon())),
        _ => drop(format!("{event:?} {}", event.is_set())),
    }
}

procsync::shareable! {
    /// A condition, and sound locks to use it with.
    struct Room {
        condition: Condition,
        lock: Lock<u32>,
        nested: RLock<u32>,
    }
}

/// Words of a condition, whose last ones are places for the TIDs of those who return from their sleep. One
/// stays sound: were there living threads in all of them, one that was notified would look for a second
/// whether they go on, which leaves time for little else. (A test of the crate does that.)
const ALL_BUT_A_PLACE: usize = size_of::<Condition>() / 4 - 1;

/// A second thread that waits for the same condition with the other lock does what it should not, too.
fn condition(room: &Room, which: u8) {
    let Room {
        condition,
        lock,
        nested,
    } = room;
    match which % 8 {
        0 => condition.notify_one(),
        1 => condition.notify(3),
        2 => condition.notify_all(),
        3 => drop(condition.wait_timeout(&mut lock.acquire().expect("sound"), MOMENT)),
        4 => drop(condition.wait_until(&mut lock.acquire().expect("sound"), soon())),
        5 => drop(condition.wait_timeout(&mut nested.acquire().expect("sound"), MOMENT)),
        6 => {
            let mut guard = lock.acquire().expect("sound");
            let _ = condition.wait_for_timeout(&mut guard, MOMENT, |_| false);
        }
        _ => drop(condition.wait_timeout(&mut lock.acquire().expect("sound"), Duration::ZERO)),
    }
}

fn barrier(barrier: &Barrier, which: u8) {
    match which % 8 {
        0 => drop(barrier.wait_timeout(MOMENT)),
        1 => drop(barrier.wait_until(soon())),
        2 => drop(barrier.wait_timeout(Duration::ZERO)),
        3 => drop(barrier.wait_with_action_until(soon(), || ())),
        4 => barrier.reset(),
        5 => barrier.abort(),
        6 => drop(format!("{barrier:?} {}", barrier.waiting())),
        _ => drop((barrier.parties(), barrier.is_broken())),
    }
}

fn timer(timer: &Timer, which: u8) {
    match which % 8 {
        0 => drop(timer.cancel()),
        1 => drop(timer.wait_timeout(MOMENT)),
        2 => drop(timer.wait_until(soon())),
        3 => drop(timer.reset()),
        4 => drop(timer.remaining()),
        5 => drop(format!("{timer:?} {:?}", timer.state())),
        _ => drop(timer.wait_timeout(Duration::ZERO)),
    }
}

/// It waits until a thread has come to an end that seems to run the timer already, and has no timeout. So
/// here it finds that nobody does, and no other thread may scribble.
fn run(timer: &Timer) {
    /// Of the word of the lock that who runs it holds.
    const RUNNER: usize = 4;
    Words::of(timer).write(RUNNER, 0);
    let _ = timer.run(MOMENT, || ());
}
