//! What all processes of a storm share, and how they begin a round together.

use std::sync::atomic::Ordering::SeqCst;

use rustix::thread::futex;

use crate::books::Books;
use crate::common::Mapped;
use crate::plan::Plan;
use crate::world::Worlds;

pub(crate) struct Storm {
    pub(crate) worlds: Worlds,
    pub(crate) books: Mapped<Books>,
    pub(crate) plan: Plan,
}

/// No round.
const CLOSED: u32 = u32::MAX;

impl Storm {
    /// As long as its processes live.
    pub(crate) fn begin(plan: Plan) -> &'static Self {
        let books: Mapped<Books> = Mapped::zeroed();
        for desk in &books.desks {
            desk.generation.store(1, SeqCst);
        }
        Box::leak(Box::new(Self {
            worlds: Worlds::create(),
            books,
            plan,
        }))
    }

    pub(crate) fn open_round(&self) {
        self.books.over.store(0, SeqCst);
        let round = self.books.round.load(SeqCst);
        self.set_round(round + 1);
    }

    pub(crate) fn close(&self) {
        self.set_round(CLOSED);
    }

    fn set_round(&self, round: u32) {
        self.books.round.store(round, SeqCst);
        futex::wake(&self.books.round, futex::Flags::empty(), u32::MAX >> 1).expect("it is mapped");
    }

    /// Waits for a later round than `round`, which then is that one. `false`: there is none.
    pub(crate) fn next_round(&self, round: &mut u32) -> bool {
        loop {
            let now = self.books.round.load(SeqCst);
            if now == CLOSED {
                return false;
            }
            if now != *round {
                *round = now;
                return true;
            }
            // Whatever ends it, the word tells.
            let _ = futex::wait(&self.books.round, futex::Flags::empty(), now, None);
        }
    }
}
