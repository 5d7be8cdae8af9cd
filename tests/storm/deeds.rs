//! What everybody does, one deed after another.

use std::sync::atomic::Ordering::SeqCst;

use procsync::{BarrierError, Permit, Shared, TimerOutcome, TimerState};

use crate::books::{Count, Mark, Stage, Total};
use crate::member::{LOCK, Member, NESTED};
use crate::world::{PARTIES, World};

/// In the world with that number.
type Deed = fn(&mut Member, usize);

const PATIENT: bool = true;
const IN_TIME: bool = false;

/// Some of them wait for others as long as it takes: *patient*.
pub(crate) const DEEDS: [(&str, Deed); 20] = [
    ("change the sum, patient", change_sum),
    ("change the sum", change_sum_in_time),
    ("change the nested sum, patient", change_nested),
    ("change the nested sum", change_nested_in_time),
    ("use a permit, patient", use_permit::<PATIENT>),
    ("use a permit", use_permit::<IN_TIME>),
    ("use a bounded permit, patient", use_bounded::<PATIENT>),
    ("use a bounded permit", use_bounded::<IN_TIME>),
    ("take mail", take_mail),
    ("begin or end the day", turn_day),
    ("wait for the day, patient", wait_for_day::<PATIENT>),
    ("wait for the day", wait_for_day::<IN_TIME>),
    ("wait for a change", wait_for_change),
    ("wait for a notify, patient", wait_for_notify),
    ("change the sum and notify", change_and_notify),
    ("meet, patient", meet::<PATIENT>),
    ("meet", meet::<IN_TIME>),
    ("run the timer", run_timer),
    ("cancel the timer", cancel_timer),
    ("open a world again", open_again),
];

impl Member {
    /// Any one; such as wait for somebody else as long as it takes more rarely, or all would wait.
    pub(crate) fn do_something(&mut self) {
        let mut deed = self.random.usize(..DEEDS.len());
        if DEEDS[deed].0.ends_with("patient") && self.random.u32(..4) != 0 {
            deed = self.random.usize(..DEEDS.len());
        }
        let world = self.random.usize(..self.storm.worlds.all.len());
        self.books().deeds[deed].fetch_add(1, SeqCst);
        let desk = self.desk();
        desk.doing.store(u32::try_from(deed).expect("few"), SeqCst);
        (DEEDS[deed].1)(self, world);
        desk.operations.fetch_add(1, SeqCst);
    }
}

fn change_sum(member: &mut Member, world: usize) {
    let account = member.take_lock(world, None).expect("it waits");
    member.change(world, LOCK, &account);
    member.leave_lock(world, account);
}

fn change_sum_in_time(member: &mut Member, world: usize) {
    let patience = member.patience();
    if let Some(account) = member.take_lock(world, Some(patience)) {
        member.change(world, LOCK, &account);
        member.leave_lock(world, account);
    }
}

/// Has it twice.
fn change_nested(member: &mut Member, world: usize) {
    let outer = member.take_nested(world, None).expect("it waits");
    let inner = member.world(world).nested.acquire().expect("sound");
    assert_eq!(inner.depth(), 2);
    member.change(world, NESTED, &inner);
    drop(inner);
    member.leave_nested(world, outer);
}

fn change_nested_in_time(member: &mut Member, world: usize) {
    let patience = member.patience();
    if let Some(account) = member.take_nested(world, Some(patience)) {
        member.change(world, NESTED, &account);
        member.leave_nested(world, account);
    }
}

fn use_permit<const IS_PATIENT: bool>(member: &mut Member, world: usize) {
    let semaphore = &member.world(world).semaphore;
    member.desk().set(world, Mark::Semaphore, Stage::Near);
    let permit = if IS_PATIENT {
        Some(semaphore.acquire())
    } else {
        semaphore.acquire_timeout(member.patience())
    };
    give_back_or_keep(member, world, Mark::Semaphore, permit);
}

fn use_bounded<const IS_PATIENT: bool>(member: &mut Member, world: usize) {
    let semaphore = &member.world(world).bounded;
    member.desk().set(world, Mark::Bounded, Stage::Near);
    let permit = if IS_PATIENT {
        Some(semaphore.acquire())
    } else {
        semaphore.acquire_timeout(member.patience())
    };
    give_back_or_keep(member, world, Mark::Bounded, permit);
}

/// Keeps it for a moment, and seldom until the next signal comes.
fn give_back_or_keep(member: &mut Member, world: usize, mark: Mark, permit: Option<Permit<'_>>) {
    let desk = member.desk();
    if let Some(permit) = permit {
        desk.set(world, mark, Stage::Inside);
        member.linger();
        desk.set(world, mark, Stage::Near);
        let owed = &desk.owed[world][usize::from(matches!(mark, Mark::Bounded))];
        if member.receives_signals() && owed.load(SeqCst) == 0 && member.random.u32(..20) == 0 {
            permit.forget();
            owed.fetch_add(1, SeqCst);
        } else {
            drop(permit);
        }
    }
    desk.set(world, mark, Stage::Away);
}

fn take_mail(member: &mut Member, world: usize) {
    member.desk().set(world, Mark::Mail, Stage::Near);
    let patience = member.patience();
    if let Some(letter) = member.world(world).mail.acquire_timeout(patience) {
        letter.forget();
        member.books().add(world, Count::Taken);
    }
    member.desk().set(world, Mark::Mail, Stage::Away);
}

/// The books say that it is day from before it is until after it was.
pub(crate) fn turn_day(member: &mut Member, world: usize) {
    let (books, day) = (member.books(), &member.world(world).day);
    let patience = member.patience();
    let Some(account) = member.take_lock(world, Some(patience)) else {
        return;
    };
    let is_day = books.get(world, Count::DaysBegun) > books.get(world, Count::DaysOver);
    if is_day {
        day.clear();
        books.add(world, Count::DaysOver);
    } else {
        books.add(world, Count::DaysBegun);
        day.set();
    }
    member.leave_lock(world, account);
}

fn wait_for_day<const IS_PATIENT: bool>(member: &mut Member, world: usize) {
    let (books, day) = (member.books(), &member.world(world).day);
    let over = books.get(world, Count::DaysOver);
    let came = if IS_PATIENT {
        day.wait();
        true
    } else {
        day.wait_timeout(member.patience())
    };
    let begun = books.get(world, Count::DaysBegun);
    assert!(!came || begun > over, "no day has begun");
}

fn wait_for_change(member: &mut Member, world: usize) {
    let patience = member.patience();
    let mut account = member.take_lock(world, None).expect("it waits");
    let before = account.done.load(SeqCst);
    member.step_out(world, LOCK, &account);
    let here = member.world(world);
    let waited = here
        .changed
        .wait_for_timeout(&mut account, patience, |account| {
            account.done.load(SeqCst) != before
        });
    match waited {
        Ok(changed) => {
            member.enter(world, LOCK, &account);
            assert_eq!(changed, account.done.load(SeqCst) != before);
        }
        Err(_) => {
            member.enter_after_death(world, LOCK, &account);
            here.lock.clear_poison();
        }
    }
    member.leave_lock(world, account);
}

fn wait_for_notify(member: &mut Member, world: usize) {
    let mut account = member.take_lock(world, None).expect("it waits");
    member.step_out(world, LOCK, &account);
    let here = member.world(world);
    if here.changed.wait(&mut account).is_ok() {
        member.enter(world, LOCK, &account);
    } else {
        member.enter_after_death(world, LOCK, &account);
        here.lock.clear_poison();
    }
    member.leave_lock(world, account);
}

fn change_and_notify(member: &mut Member, world: usize) {
    let number = member.random.u32(1..4);
    let account = member.take_lock(world, None).expect("it waits");
    member.change(world, LOCK, &account);
    member.world(world).changed.notify(number);
    member.leave_lock(world, account);
}

/// One that does not run while ten more meetings end, held or broken, may take its own for broken. Somebody
/// has come to each of them.
const MEETINGS_TO_MISS: u64 = 10;

fn meet<const IS_PATIENT: bool>(member: &mut Member, world: usize) {
    let (books, barrier) = (member.books(), &member.world(world).barrier);
    let gone = books.get(world, Count::Met) + books.get(world, Count::Failed);
    let mut ran = None;
    member.desk().set(world, Mark::Meeting, Stage::Near);
    books.add(world, Count::Came);
    let meeting = if !IS_PATIENT {
        barrier.wait_timeout(member.patience())
    } else if member.random.bool() {
        barrier.wait()
    } else {
        ran = Some(false);
        barrier.wait_with_action(|| ran = Some(true))
    };
    match meeting {
        Ok(meeting) => {
            assert!(meeting.index() < PARTIES);
            assert_eq!(meeting.is_leader(), meeting.index() == PARTIES - 1);
            assert!(ran.is_none_or(|ran| ran == meeting.is_leader()));
            note_meeting(member, world, meeting.is_leader());
        }
        Err(error) => {
            let others = books.get(world, Count::Came) - gone - 1;
            let in_doubt = u64::from(others >= MEETINGS_TO_MISS);
            books.near(world, Mark::Meeting).fetch_add(in_doubt, SeqCst);
            books.add(world, Count::Failed);
            if matches!(error, BarrierError::Broken) {
                books.add(world, Count::Resets);
            }
            barrier.reset();
        }
    }
    member.desk().set(world, Mark::Meeting, Stage::Away);
}

fn note_meeting(member: &Member, world: usize, is_leader: bool) {
    let books = member.books();
    books.add(world, Count::Met);
    if is_leader {
        books.add(world, Count::Meetings);
    }
    let meetings = books.get(world, Count::Meetings);
    let came = books.get(world, Count::Came);
    assert!(came >= meetings * u64::from(PARTIES), "too few have met");
}

/// Only who has run it makes it idle again; but for one that was abandoned.
fn run_timer(member: &mut Member, world: usize) {
    let (books, timer) = (member.books(), &member.world(world).timer);
    let patience = member.patience();
    let mut calls = 0;
    member.desk().set(world, Mark::Timer, Stage::Near);
    let run = timer.run(patience, || {
        calls += 1;
        // So that others see it run.
        member.linger();
    });
    match run {
        Ok(outcome) => {
            assert_eq!(calls, u32::from(outcome == TimerOutcome::Fired));
            books.add(
                world,
                match outcome {
                    TimerOutcome::Fired => Count::Fired,
                    TimerOutcome::Cancelled => Count::Cancelled,
                },
            );
            timer.reset();
        }
        Err(_) => {
            assert_eq!(calls, 0);
            let patience = member.patience();
            let is_abandoned = timer.wait_timeout(patience) == TimerState::Abandoned;
            if is_abandoned && timer.reset() {
                books.add(world, Count::Abandoned);
            }
        }
    }
    member.desk().set(world, Mark::Timer, Stage::Away);
}

fn cancel_timer(member: &mut Member, world: usize) {
    member.desk().set(world, Mark::Timer, Stage::Near);
    if member.world(world).timer.cancel() {
        member.books().add(world, Count::Cancels);
    }
    member.desk().set(world, Mark::Timer, Stage::Away);
}

/// A mapping of its own, for a moment.
fn open_again(member: &mut Member, world: usize) {
    let names = &member.storm.worlds.names;
    let name = &names[world % names.len()];
    let again = Shared::<World>::open(name).expect("it is there");
    again.changed.notify_one();
    again.day.wait_timeout(member.patience());
    let reopened = member.books().total(Total::Reopened);
    reopened.fetch_add(1, SeqCst);
}
