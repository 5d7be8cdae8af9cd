//! A system that stands still: who holds what, who sleeps on what, who died. Looking at it changes nothing.

use std::cell::Cell;
use std::ffi::CString;
use std::mem::forget;
use std::time::Duration;

use procsync::{
    AcquireError, Barrier, BarrierError, BoundedSemaphore, Condition, Event, Lock, RLock,
    Semaphore, Shared, Timer, TimerOutcome,
};
use rustix::process::{Signal, kill_process};

use crate::common::{Child, fork, sleepers, until};
use crate::{Name, parts, printed};

procsync::shareable! {
    struct Stock { tickets: u64, sold: [u64; 3] }

    struct Office {
        till: RLock<Cell<u64>>,
        stock: Lock<Stock>,
        opening: Event,
        orders: Semaphore,
        counters: BoundedSemaphore,
        yard: Lock,
        delivery: Condition,
        meeting: Barrier,
        closing: Timer,
    }
}

fn office() -> Office {
    Office {
        till: RLock::new(Cell::new(250)),
        stock: Lock::new(Stock {
            tickets: 17,
            sold: [1, 0, 0],
        }),
        opening: Event::new(),
        orders: Semaphore::new(0),
        counters: BoundedSemaphore::new(2),
        yard: Lock::new(()),
        delivery: Condition::new(),
        meeting: Barrier::new(3),
        closing: Timer::new(),
    }
}

type Role = (&'static str, fn(&Office));

/// Each does its part once the others let it.
const ROLES: [Role; 6] = [
    ("keeper", |office| {
        let _both = (office.till.acquire(), office.till.acquire());
        office.opening.wait();
    }),
    ("cashier", |office| drop(office.till.acquire().unwrap())),
    ("clerk", |office| office.orders.acquire().forget()),
    ("porter", |office| {
        let mut yard = office.yard.acquire().unwrap();
        office.delivery.wait(&mut yard).unwrap();
    }),
    ("guest", |office| {
        assert_eq!(office.meeting.wait(), Err(BarrierError::Broken));
    }),
    ("watchman", |office| {
        let hour = Duration::from_secs(3600);
        let outcome = office.closing.run(hour, || ()).unwrap();
        assert_eq!(outcome, TimerOutcome::Cancelled);
    }),
];

fn play(office: &Shared<Office>, (name, role): Role) -> Child {
    fork(|| {
        let name = CString::new(name).unwrap();
        rustix::thread::set_name(&name).unwrap();
        role(office);
    })
}

/// The one that is not there any more.
fn rob(office: &Shared<Office>) {
    let thief = fork(|| {
        forget(office.stock.acquire());
        office.counters.acquire().forget();
        let me = rustix::process::getpid();
        kill_process(me, Signal::KILL).unwrap();
    });
    assert!(thief.ends());
}

/// All asleep, one after the other, each where it is to sleep.
fn stand_still(office: &Shared<Office>) -> Vec<Child> {
    rob(office);
    let [keeper, cashier, clerk, porter, guest, watchman] =
        ROLES.map(|role| move || play(office, role));
    let keeper = keeper();
    until(|| sleepers(&office.opening) == 1).unwrap();
    let others = [cashier(), clerk(), porter(), guest(), watchman()];
    until(|| office.till.waiters() == 1).unwrap();
    until(|| sleepers(&office.orders) == 1).unwrap();
    until(|| sleepers(&office.delivery) == 1).unwrap();
    until(|| sleepers(&office.meeting) == 1).unwrap();
    until(|| sleepers(&office.closing) == 1).unwrap();
    [keeper].into_iter().chain(others).collect()
}

fn let_them_go(office: &Office, children: Vec<Child>) {
    office.opening.set();
    office.orders.release(1).unwrap();
    office.delivery.notify_one();
    office.meeting.abort();
    assert!(office.closing.cancel());
    children.into_iter().for_each(Child::succeed);
}

/// Without what is another each time.
fn golden(report: &str, children: &[Child]) -> String {
    let mut text = parts(report).join("\n");
    for (child, (name, _)) in children.iter().zip(ROLES) {
        text = text.replace(&child.pid().to_string(), &format!("<{name}>"));
    }
    text.replace("59 min 59 s", "1 h 0 min")
}

const STUCK: &str = "\
till RLock held twice by <keeper> (keeper), alive; 1 asleep
*till Cell<u64> 250
stock Lock free; poisoned: its holder died
stock.tickets u64 17
stock.sold [u64; 3] 1, 0 ×2
opening Event not set; 1 asleep
orders Semaphore no permits; 1 asleep
counters BoundedSemaphore 1 permit of 2
yard Lock free
delivery Condition 1 asleep
meeting Barrier 1 of 3 have come; 1 asleep
closing Timer armed, 1 h 0 min left; run by <watchman> (watchman), alive; 1 asleep";

#[test]
fn who_holds_and_who_sleeps_is_told_and_nothing_is_changed() {
    let name = Name::new("stuck");
    let office = Shared::create(&name.0, office()).unwrap();
    let children = stand_still(&office);
    let before = std::fs::read(name.path()).unwrap();
    let report = printed(&["inspect", &name.0]);
    assert_eq!(std::fs::read(name.path()).unwrap(), before);
    assert_eq!(golden(&report, &children), STUCK, "{report}");
    let made = format!("by {} (", std::process::id());
    assert!(
        report.contains(&made) && report.contains("), alive\n"),
        "{report}"
    );
    let_them_go(&office, children);
    let poisoned = office.stock.acquire();
    assert!(matches!(poisoned, Err(AcquireError::Poisoned(_))));
}

#[test]
fn programs_read_the_same_as_json() {
    let name = Name::new("json");
    let office = Shared::create(&name.0, office()).unwrap();
    let children = stand_still(&office);
    let text = printed(&["inspect", "--json", &name.0]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let part = |path: &str| {
        let parts = json["parts"].as_array().unwrap();
        parts.iter().find(|part| part["path"] == path).unwrap()
    };
    assert_eq!(json["creator"]["tid"], std::process::id());
    assert_eq!(json["creator"]["life"], "alive");
    assert_eq!(json["is_of_this_boot"], true);
    let till = &part("till")["lock"];
    assert_eq!(till["holder"]["tid"], children[0].tid());
    assert_eq!(till["holder"]["name"], "keeper");
    assert_eq!((&till["depth"], &till["asleep"]), (&2.into(), &1.into()));
    assert_eq!(part("stock")["lock"]["poison"], "its holder died");
    assert_eq!(part("stock.tickets")["number"], 17);
    assert_eq!(part("counters")["semaphore"]["bound"], 2);
    assert_eq!(part("opening")["event"]["set"], false);
    assert_eq!(part("delivery")["condition"]["asleep"], 1);
    assert_eq!(part("meeting")["barrier"]["arrived"], 1);
    let closing = &part("closing")["timer"];
    let left = closing["remaining_seconds"].as_f64().unwrap();
    assert!((3000.0..=3600.0).contains(&left), "{left}");
    assert_eq!(closing["state"], "armed");
    let_them_go(&office, children);
}

#[test]
fn a_holder_that_is_stopped_is_not_taken_for_one_that_works() {
    let name = Name::new("stopped");
    let office = Shared::create(&name.0, office()).unwrap();
    let keeper = play(&office, ROLES[0]);
    until(|| sleepers(&office.opening) == 1).unwrap();
    let pid = rustix::process::Pid::from_raw(keeper.pid().as_raw()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let stopped = format!(
        "till RLock held twice by {} (keeper), alive, but stopped",
        keeper.tid()
    );
    until(|| parts(&printed(&["inspect", &name.0]))[0] == stopped).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    office.opening.set();
    keeper.succeed();
}

#[test]
fn no_name_moves_the_readers_cursor() {
    let name = Name::new("cursor");
    let office = Shared::create(&name.0, office()).unwrap();
    let keeper = play(&office, ("\u{1b}[2J\nfree", ROLES[0].1));
    until(|| sleepers(&office.opening) == 1).unwrap();
    let report = printed(&["inspect", &name.0]);
    let held = format!(
        "held twice by {} (\\u{{1b}}[2J\\nfree), alive",
        keeper.tid()
    );
    assert!(
        report.contains(&held) && !report.contains('\u{1b}'),
        "{report:?}"
    );
    office.opening.set();
    keeper.succeed();
}

#[test]
fn a_broken_meeting_and_an_abandoned_timer_are_told() {
    let name = Name::new("broken");
    let office = Shared::create(&name.0, office()).unwrap();
    let [guest, watchman] = [ROLES[4], ROLES[5]].map(|role| play(&office, role));
    until(|| sleepers(&office.meeting) == 1 && sleepers(&office.closing) == 1).unwrap();
    guest.kill();
    watchman.kill();
    let lines = parts(&printed(&["inspect", &name.0]));
    assert!(
        lines.contains(&"meeting Barrier broken: a party died".to_owned()),
        "{lines:?}"
    );
    let abandoned = "closing Timer abandoned: its thread died, or its function panicked".to_owned();
    assert!(lines.contains(&abandoned), "{lines:?}");
}
