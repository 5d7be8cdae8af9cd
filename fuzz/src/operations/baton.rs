//! Who acts next.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::input::{Operation, Sequence};
use super::model::{Id, Model};
use super::outcome::Outcome;
use super::worker::Worker;
use super::world::{Place, World};
use crate::{BOUND, this_thread, until};

/// So many steps show all that a longer sequence would.
const STEPS_MAX: usize = 100;

/// In shared memory, who waits for a notify looks around once a second, and is the last in the queue
/// then.
const IN_ORDER: Duration = Duration::from_millis(500);

/// Plays a sequence to its end, where everybody is awake and nothing is held.
pub fn play(sequence: &Sequence) {
    let world = Place::new(sequence);
    let world: &World = &world;
    let (reply, replies) = channel();
    thread::scope(|scope| {
        let (mut hands, mut threads) = (Vec::new(), Vec::new());
        for me in 0..sequence.workers.count() {
            let (order, orders) = channel();
            let (tell, told) = channel();
            let reply = reply.clone();
            threads.push(scope.spawn(move || {
                // The other end waits for it.
                let _ = tell.send(this_thread());
                work(me, world, &orders, &reply);
            }));
            let tid = told.recv().expect("it starts");
            hands.push(Hand { order, tid });
        }
        let mut baton = Baton {
            tids: hands.iter().map(|hand| hand.tid).collect(),
            hands,
            replies,
            world,
            model: Model::new(sequence),
            done: Vec::new(),
            asleep_since: Instant::now(),
        };
        baton.play(sequence);
        // The orders end, and so do the workers: the threads themselves, not only what they do.
        drop(baton);
        for thread in threads {
            thread
                .join()
                .expect("a worker that panicked has ended the process");
        }
    });
}

fn work(me: Id, world: &World, orders: &Receiver<Operation>, replies: &Sender<(Id, Outcome)>) {
    let mut worker = Worker::new(world);
    for operation in orders {
        let outcome = worker.perform(operation);
        if replies.send((me, outcome)).is_err() {
            return;
        }
    }
}

struct Hand {
    order: Sender<Operation>,
    tid: u32,
}

struct Baton<'world> {
    hands: Vec<Hand>,
    tids: Vec<u32>,
    replies: Receiver<(Id, Outcome)>,
    world: &'world World,
    model: Model,
    /// What was done, for whoever reads of a failure.
    done: Vec<(Id, Operation)>,
    /// When the first of those fell asleep who wait for a notify; or a later time.
    asleep_since: Instant,
}

impl Baton<'_> {
    fn play(&mut self, sequence: &Sequence) {
        for step in sequence.steps.iter().take(STEPS_MAX) {
            let me = self.model.free_one(usize::from(step.worker));
            if self.has_lost_the_order(step.operation, sequence.shared) {
                break;
            }
            let operation = self.model.with_held_lock(me, step.operation);
            self.perform(me, operation);
        }
        while let Some((me, operation)) = self.model.next_to_end() {
            self.perform(me, operation);
        }
    }

    fn has_lost_the_order(&self, operation: Operation, shared: bool) -> bool {
        let Operation::Notify(n) = operation else {
            return false;
        };
        shared
            && self.model.is_queue_divided_by(n.count())
            && self.asleep_since.elapsed() > IN_ORDER
    }

    fn perform(&mut self, me: Id, operation: Operation) {
        if !self.model.is_notify_awaited() {
            self.asleep_since = Instant::now();
        }
        if self.model.perform(me, operation).is_err() {
            return;
        }
        self.done.push((me, operation));
        self.hands[me]
            .order
            .send(operation)
            .expect("a free worker waits for orders");
        while self.model.owed() > 0 {
            match self.replies.recv_timeout(BOUND) {
                Ok((who, outcome)) => self.accept(who, &outcome),
                Err(RecvTimeoutError::Timeout) => self.fail("somebody is stuck"),
                Err(RecvTimeoutError::Disconnected) => self.fail("somebody is gone"),
            }
        }
        self.settle();
        if let Some(difference) = self.model.differs_from(self.world, &self.tids) {
            self.fail(&difference);
        }
    }

    /// Waits until those who should be asleep are. Nobody may return.
    fn settle(&mut self) {
        let settled = until(|| {
            match self.replies.try_recv() {
                Ok((who, outcome)) => {
                    self.fail(&format!("{who} returned with {outcome:?}"));
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.fail("somebody is gone"),
            }
            self.model.is_asleep_in(self.world)
        });
        if !settled {
            self.fail("somebody does not fall asleep");
        }
    }

    fn accept(&mut self, who: Id, outcome: &Outcome) {
        if let Err(expected) = self.model.accept(who, outcome) {
            self.fail(&format!(
                "{who} returned with {outcome:?}, expected was {expected:?}"
            ));
        }
    }

    fn fail(&self, why: &str) -> ! {
        eprintln!("what was done, by whom:");
        for (worker, operation) in &self.done {
            eprintln!("  {worker}: {operation:?}");
        }
        panic!("{why}\n{:#?}", self.model);
    }
}
