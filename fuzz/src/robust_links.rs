//! A thread that holds locks in several mappings, in one of which a hostile process writes what it likes:
//! over words and over the links of the thread's robust list. Nothing crashes, nobody hangs, and the locks
//! in the other mapping, and in private memory, are as they should be.

use std::mem::forget;
use std::thread;
use std::time::Duration;

use arbitrary::Arbitrary;
use procsync::{AcquireError, Lock, LockGuard, Shared};

use crate::child::in_child;
use crate::this_thread;
use crate::words::Words;

const HOSTILE: usize = 6;
const SOUND: usize = 3;
const PRIVATE: usize = 2;
const ALL: usize = HOSTILE + SOUND + PRIVATE;

/// Words of a lock before its data.
const WORDS: usize = 10;
/// From a lock to where its owner's list meets it, with glibc.
const ENTRY: usize = 32;

#[derive(Arbitrary, Debug)]
pub struct Story {
    pub end: End,
    pub deeds: Vec<Deed>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Deed {
    /// If it is not held, as far as this thread knows.
    Acquire(u8),
    Release(u8),
    Scribble {
        lock: u8,
        word: u8,
        value: Value,
    },
    /// Over a pair of words, as an address is.
    ScribbleAddress {
        lock: u8,
        word: u8,
        address: Address,
    },
    /// Over all of a lock.
    Fill {
        lock: u8,
        value: Value,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Value {
    Zero,
    Ones,
    Any(u32),
    /// The thread's TID, and perhaps the upper bits.
    Tid {
        waiters: bool,
        arrived: bool,
    },
    /// What a lock says of itself that lies in shared memory.
    InShared,
    /// What it says at this place that lies in private memory.
    InPrivate,
}

/// Where a link may be made to lead.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Address {
    Null,
    /// The entry of another lock.
    Entry(u8),
    /// The same, as of a priority-inheriting mutex.
    Flagged(u8),
    Unaligned(u8),
    /// Of private memory that the thread uses.
    Stack,
    Nowhere(u64),
}

/// How the thread ends.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    ReleasesFromTheNewest,
    ReleasesFromTheOldest,
    /// It leaks what it holds, and ends.
    Forgets,
    /// It dies, and its process with it.
    Dies,
}

/// Plays it where it cannot leave anything behind.
pub fn play(story: &Story) {
    let world = World::new();
    if story.leaves_something() {
        in_child(|| world.play(story));
    } else {
        world.play(story);
    }
    world.see_that_nobody_hangs();
    if story.is_list_whole_at_the_end() {
        world.see_what_was_recovered(&story.held_at_the_end());
    }
}

impl Story {
    fn leaves_something(&self) -> bool {
        matches!(self.end, End::Forgets | End::Dies) || self.makes_look_private()
    }

    /// Whether a lock may be told to lie in private memory while it is held: then it stays on the list.
    fn makes_look_private(&self) -> bool {
        self.deeds.iter().any(|deed| {
            matches!(
                deed,
                Deed::Scribble {
                    value: Value::InPrivate,
                    ..
                } | Deed::Fill {
                    value: Value::InPrivate,
                    ..
                }
            )
        })
    }

    fn scribbles(&self) -> bool {
        let harmless = |deed: &Deed| matches!(deed, Deed::Acquire(_) | Deed::Release(_));
        !self.deeds.iter().all(harmless)
    }

    /// The kernel's way to older locks leads through the links of newer ones. A keeper's are written anew.
    fn is_list_whole_at_the_end(&self) -> bool {
        match self.end {
            End::Dies => !self.scribbles(),
            End::Forgets => !self.makes_look_private(),
            End::ReleasesFromTheNewest | End::ReleasesFromTheOldest => true,
        }
    }

    /// Which of the locks out of reach somebody has at its death.
    fn held_at_the_end(&self) -> [bool; SOUND] {
        let mut held = [false; ALL];
        for deed in &self.deeds {
            match *deed {
                Deed::Acquire(number) => held[usize::from(number) % ALL] = true,
                Deed::Release(number) => held[usize::from(number) % ALL] = false,
                _ => {}
            }
        }
        let dies = matches!(self.end, End::Forgets | End::Dies);
        std::array::from_fn(|number| dies && held[HOSTILE + number])
    }
}

struct World {
    hostile: Shared<[Lock<u32>; HOSTILE]>,
    sound: Shared<[Lock<u32>; SOUND]>,
    private: Box<[Lock<u32>; PRIVATE]>,
}

fn locks<const N: usize>() -> [Lock<u32>; N] {
    std::array::from_fn(|_| Lock::new(0))
}

fn shared<const N: usize>() -> Shared<[Lock<u32>; N]> {
    Shared::anonymous(locks()).expect("memory can be had")
}

impl World {
    fn new() -> Self {
        Self {
            hostile: shared(),
            sound: shared(),
            private: Box::new(locks()),
        }
    }

    fn lock(&self, number: usize) -> &Lock<u32> {
        let all = self
            .hostile
            .iter()
            .chain(&*self.sound)
            .chain(&*self.private);
        all.cycle().nth(number % ALL).expect("a cycle")
    }

    fn is_hostile(number: usize) -> bool {
        number % ALL < HOSTILE
    }

    /// On a thread of its own; what it leaves, another looks at.
    fn play(&self, story: &Story) {
        thread::scope(|scope| {
            let thread = scope.spawn(|| Actor::new(self).act(story));
            thread.join().expect("a panic has ended the process");
        });
        if story.end != End::Forgets {
            for lock in self.sound.iter().chain(&*self.private) {
                assert!(lock.try_acquire().is_ok(), "{lock:?}");
            }
        }
    }

    /// What died with its process, or was kept by a thread of it, is held no more.
    fn see_what_was_recovered(&self, held: &[bool; SOUND]) {
        for (lock, &held) in self.sound.iter().zip(held) {
            let acquired = lock
                .try_acquire()
                .map(drop)
                .map_err(|error| error.without_guard());
            match acquired {
                Ok(()) => assert!(!held, "a death that goes unnoticed: {lock:?}"),
                Err(AcquireError::Poisoned(())) => assert!(held, "{lock:?}"),
                Err(error) => panic!("{error:?}: {lock:?}"),
            }
        }
    }

    fn see_that_nobody_hangs(&self) {
        let moment = Duration::from_micros(200);
        for number in 0..ALL {
            let _ = self.lock(number).acquire_timeout(moment);
        }
    }
}

struct Actor<'world> {
    world: &'world World,
    guards: [Option<LockGuard<'world, u32>>; ALL],
    /// What is held, the newest last.
    order: Vec<usize>,
}

impl<'world> Actor<'world> {
    fn new(world: &'world World) -> Self {
        Self {
            world,
            guards: [const { None }; ALL],
            order: Vec::new(),
        }
    }

    fn act(&mut self, story: &Story) {
        for deed in &story.deeds {
            match *deed {
                Deed::Acquire(number) => self.acquire(usize::from(number) % ALL),
                Deed::Release(number) => self.release(usize::from(number) % ALL),
                Deed::Scribble { lock, word, value } => self.scribble(lock, word, value),
                Deed::ScribbleAddress {
                    lock,
                    word,
                    address,
                } => {
                    self.scribble_address(lock, word, address);
                }
                Deed::Fill { lock, value } => {
                    (0..10).for_each(|word| self.scribble(lock, word, value));
                }
            }
            self.see_what_is_sound();
        }
        self.end(story.end);
    }

    fn acquire(&mut self, number: usize) {
        if self.guards[number].is_some() {
            return;
        }
        let guard = match self.world.lock(number).try_acquire() {
            Ok(guard) => guard,
            Err(AcquireError::Poisoned(guard)) if World::is_hostile(number) => guard,
            Err(error) => {
                let error = error.without_guard();
                assert!(World::is_hostile(number), "a sound lock: {error:?}");
                return;
            }
        };
        self.guards[number] = Some(guard);
        self.order.push(number);
    }

    fn release(&mut self, number: usize) {
        self.guards[number] = None;
        self.order.retain(|&held| held != number);
    }

    fn hostile(&self, lock: u8) -> &'world Lock<u32> {
        &self.world.hostile[usize::from(lock) % HOSTILE]
    }

    fn scribble(&self, lock: u8, word: u8, value: Value) {
        let lock = self.hostile(lock);
        Words::of(lock).write(usize::from(word) % WORDS, value.at(lock));
    }

    fn scribble_address(&self, lock: u8, word: u8, address: Address) {
        let words = Words::of(self.hostile(lock));
        let address = address.find(self.world) as u64;
        let word = usize::from(word) % (WORDS - 1);
        #[expect(clippy::cast_possible_truncation, reason = "its halves")]
        words.write(word, address as u32);
        words.write(word + 1, (address >> 32) as u32);
    }

    /// Of every lock out of reach, the thread knows whether it holds it.
    fn see_what_is_sound(&self) {
        for number in HOSTILE..ALL {
            let lock = self.world.lock(number);
            assert_eq!(
                lock.is_owned_by_current_thread(),
                self.guards[number].is_some()
            );
            assert!(!lock.is_poisoned());
        }
    }

    fn end(&mut self, end: End) {
        match end {
            End::ReleasesFromTheNewest => {
                while let Some(newest) = self.order.pop() {
                    self.guards[newest] = None;
                    self.see_what_is_sound();
                }
            }
            End::ReleasesFromTheOldest => {
                for oldest in std::mem::take(&mut self.order) {
                    self.guards[oldest] = None;
                    self.see_what_is_sound();
                }
            }
            End::Forgets => self
                .guards
                .iter_mut()
                .for_each(|guard| forget(guard.take())),
            End::Dies => {
                let me = rustix::process::getpid();
                rustix::process::kill_process(me, rustix::process::Signal::KILL).expect("it may");
            }
        }
    }
}

impl Value {
    fn at(self, lock: &Lock<u32>) -> u32 {
        match self {
            Self::Zero => 0,
            Self::Ones => u32::MAX,
            Self::Any(value) => value,
            Self::Tid { waiters, arrived } => {
                this_thread() | u32::from(waiters) << 31 | u32::from(arrived) << 30
            }
            Self::InShared => 2,
            #[expect(clippy::cast_possible_truncation, reason = "as much as fits")]
            Self::InPrivate => (std::ptr::from_ref(lock).addr() >> 2) as u32 | 1,
        }
    }
}

impl Address {
    fn find(self, world: &World) -> usize {
        let entry = |number: u8| {
            let lock: *const Lock<u32> = world.lock(number.into());
            lock.addr() + ENTRY
        };
        match self {
            Self::Null => 0,
            Self::Entry(number) => entry(number),
            Self::Flagged(number) => entry(number) | 1,
            Self::Unaligned(number) => entry(number) + 3,
            Self::Stack => (&raw const self).addr() & !7,
            Self::Nowhere(address) => usize::try_from(address).unwrap_or_default(),
        }
    }
}
