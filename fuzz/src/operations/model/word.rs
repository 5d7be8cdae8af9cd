//! `FutexWord`.

use std::sync::atomic::Ordering::Acquire;

use procsync::FutexWait;

use super::{DONE, Id, Impossible, Model, Status, Wait, differ};
use crate::operations::input::{Expected, Patience, SourceName};
use crate::operations::outcome::Outcome;
use crate::operations::world::World;

#[derive(Debug, Default)]
pub struct Word {
    value: u32,
    /// Who sleeps on it alone, in the order in which they fell asleep: that in which they are woken.
    queue: Vec<Id>,
}

impl Word {
    pub fn value(&self) -> u32 {
        self.value
    }
}

impl Model {
    /// One that waits for any of several is woken by each change, as users have to see to. Nor is its place in
    /// the queue known: where it was woken for nothing, it is the last again. So with such a one, all are woken.
    pub(super) fn store_in_word(&mut self, value: u32, n: u32) -> Result<Status, Impossible> {
        let is_watched = self.watchers(SourceName::WORD) > 0;
        let all_are_woken = n as usize >= self.sleepers_on_word();
        if is_watched && !all_are_woken {
            return Err(Impossible);
        }
        Ok(Status::Due(Outcome::Woke(self.change_word(value, n))))
    }

    pub(super) fn add_to_word(&mut self) -> Status {
        let value = self.word.value.wrapping_add(1);
        Status::Due(Outcome::Woke(self.change_word(value, u32::MAX)))
    }

    pub(super) fn set_bit(&mut self, bit: u8) -> Status {
        let value = self.word.value | 1 << (bit % 32);
        self.change_word(value, u32::MAX);
        DONE
    }

    /// How many are woken. One that sleeps on it twice, the kernel counts twice.
    fn change_word(&mut self, value: u32, n: u32) -> usize {
        let woken = self.sleepers_on_word().min(n as usize);
        let has_changed = self.word.value != value;
        self.word.value = value;
        if has_changed {
            self.wake_watchers(SourceName::WORD);
        }
        let count = self.word.queue.len().min(n as usize);
        for worker in self.word.queue.drain(..count) {
            self.workers[worker] = Status::Due(Outcome::Word(FutexWait::Woken));
        }
        woken
    }

    pub(super) fn await_word(
        &mut self,
        me: Id,
        expected: Expected,
        patience: Patience,
    ) -> Result<Status, Impossible> {
        let at_once = match expected {
            Expected::Another => FutexWait::Changed,
            Expected::WhatItHolds if patience == Patience::Forever => {
                let asleep = self.fall_asleep(me, Wait::WordsChange)?;
                self.word.queue.push(me);
                return Ok(asleep);
            }
            Expected::WhatItHolds => FutexWait::TimedOut,
        };
        Ok(Status::Due(Outcome::Word(at_once)))
    }

    pub(super) fn sleepers_on_word(&self) -> usize {
        self.word.queue.len() + self.watchers(SourceName::WORD)
    }

    pub(super) fn word_differs(&self, world: &World) -> Option<String> {
        let seen = (world.word.load(Acquire), world.word.sleepers());
        let expected = (self.word.value, self.sleepers_on_word());
        differ("the word, and how many sleep on it", &seen, &expected)
    }
}
