//! Forks in the middle of what a worker holds. The child has inherited it, and it does nothing there; the
//! child goes on as another participant.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Write};
use std::sync::atomic::Ordering::SeqCst;

use procsync::{BoundedSemaphore, Semaphore};

use crate::books::{Mark, PLACES, Presence, Stage, Total};
use crate::common::{Child, fork, pipe};
use crate::handlers;
use crate::member::{LOCK, Member, NESTED};
use crate::storm::Storm;
use crate::worker::Worker;

/// So many deeds, and then it ends.
const MOST_DEEDS: u32 = 1_000;

/// Who the child is to be.
struct Birth {
    storm: &'static Storm,
    parent: usize,
    seed: u64,
    tell: File,
}

impl Worker {
    /// If it has a child still, which has ended, that one is seen off first.
    fn may_fork(&mut self) -> bool {
        if self.child.as_ref().is_some_and(Child::has_ended) {
            let child = self.child.take();
            child.into_iter().for_each(|child| self.see_off(child));
        }
        self.child.is_none()
    }

    fn conceive(&mut self) -> (Birth, File) {
        let (told, tell) = pipe();
        let birth = Birth {
            storm: self.member.storm,
            parent: self.place(),
            seed: self.member.random.u64(..),
            tell,
        };
        (birth, told)
    }

    fn has_forked(&mut self, child: Child, told: File) {
        hear(told);
        self.child = Some(child);
        let forks = self.member.books().total(Total::Forks);
        forks.fetch_add(1, SeqCst);
    }
}

/// Waits until the child has looked at what it has.
fn hear(mut told: File) {
    let heard = told.read_exact(&mut [0]);
    heard.expect("the child has found what it should");
}

impl Birth {
    /// In the child.
    fn live(mut self, check: impl FnOnce(&Member)) {
        let desk = self.parent + 2 * PLACES;
        handlers::install(self.storm, desk);
        let mut member = Member::arrive(self.storm, desk, self.seed);
        check(&member);
        // The parent may be dead.
        let _ = self.tell.write_all(&[1]);
        drop(self.tell);
        let deeds = member.random.u32(..MOST_DEEDS);
        for _ in 0..deeds {
            if self.storm.books.is_over() {
                break;
            }
            member.do_something();
        }
        member.desk().set_presence(Presence::Absent);
    }
}

/// Of what the parent had, at the moment of the fork.
struct Inherited {
    parent: usize,
    process: u32,
}

impl Inherited {
    fn of(worker: &Worker) -> Self {
        Self {
            parent: worker.place(),
            process: std::process::id(),
        }
    }

    /// `owner` is the parent still; or it has died meanwhile.
    fn check(&self, member: &Member, owner: Option<u32>) {
        let parent = &member.books().desks[self.parent];
        let may_be_dead = parent.doomed.load(SeqCst) == parent.generation.load(SeqCst);
        assert!(
            may_be_dead || owner == Some(self.process),
            "a child has released its parent's lock: {owner:?}"
        );
        let inert = member.books().total(Total::Inert);
        inert.fetch_add(1, SeqCst);
    }
}

pub(crate) fn fork_with_lock_and_permit(worker: &mut Worker, world: usize) {
    if !worker.may_fork() {
        return;
    }
    let account = worker.member.take_lock(world, None).expect("it waits");
    let here = worker.member.world(world);
    let desk = worker.member.desk();
    desk.set(world, Mark::Semaphore, Stage::Near);
    let permit = Semaphore::try_acquire(&here.semaphore);
    if permit.is_some() {
        desk.set(world, Mark::Semaphore, Stage::Inside);
    }
    let inherited = Inherited::of(worker);
    let (birth, told) = worker.conceive();
    let held = Cell::new(Some((account, permit)));
    let child = fork(|| {
        drop(held.take());
        birth.live(|member| inherited.check(member, here.lock.owner()));
    });
    worker.has_forked(child, told);
    let (account, permit) = held.take().expect("it was the child that took it");
    worker.member.change(world, LOCK, &account);
    desk.set(world, Mark::Semaphore, Stage::Near);
    drop(permit);
    desk.set(world, Mark::Semaphore, Stage::Away);
    worker.member.leave_lock(world, account);
}

pub(crate) fn fork_with_nested_and_bounded(worker: &mut Worker, world: usize) {
    if !worker.may_fork() {
        return;
    }
    let outer = worker.member.take_nested(world, None).expect("it waits");
    let here = worker.member.world(world);
    let inner = here.nested.acquire().expect("sound");
    let desk = worker.member.desk();
    desk.set(world, Mark::Bounded, Stage::Near);
    let permit = BoundedSemaphore::try_acquire(&here.bounded);
    if permit.is_some() {
        desk.set(world, Mark::Bounded, Stage::Inside);
    }
    let inherited = Inherited::of(worker);
    let (birth, told) = worker.conceive();
    let held = Cell::new(Some((inner, permit)));
    let outer = Cell::new(Some(outer));
    let child = fork(|| {
        drop(held.take());
        drop(outer.take());
        birth.live(|member| inherited.check(member, here.nested.owner()));
    });
    worker.has_forked(child, told);
    let (inner, permit) = held.take().expect("it was the child that took it");
    assert_eq!(inner.depth(), 2);
    worker.member.change(world, NESTED, &inner);
    drop(inner);
    desk.set(world, Mark::Bounded, Stage::Near);
    drop(permit);
    desk.set(world, Mark::Bounded, Stage::Away);
    let outer = outer.take().expect("it was the child that took it");
    worker.member.leave_nested(world, outer);
}

/// In the middle of a wait for a condition, while it has the lock to look.
pub(crate) fn fork_in_predicate(worker: &mut Worker, world: usize) {
    if !worker.may_fork() {
        return;
    }
    let here = worker.member.world(world);
    let mut account = worker.member.take_lock(world, None).expect("it waits");
    worker.member.step_out(world, LOCK, &account);
    let patience = worker.member.patience();
    let waited = here.changed.wait_for_timeout(&mut account, patience, |_| {
        let inherited = Inherited::of(worker);
        let (birth, told) = worker.conceive();
        let child = fork(|| birth.live(|member| inherited.check(member, here.lock.owner())));
        worker.has_forked(child, told);
        true
    });
    // The first look: nobody has waited.
    assert_eq!(waited.ok(), Some(true));
    worker.member.enter(world, LOCK, &account);
    worker.member.change(world, LOCK, &account);
    worker.member.leave_lock(world, account);
}
