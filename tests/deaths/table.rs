//! What is printed at the end: at how many points of each operation the victim was killed (or, where
//! nobody dies, somebody came), how often asleep, how often woken from a sleep in the operation.

use std::sync::Mutex;

use crate::scene::Trouble;

#[derive(Clone, Default)]
pub(crate) struct Row {
    name: String,
    kills: usize,
    asleep: usize,
    woken: usize,
    stuck: usize,
    wrong: usize,
    pub(crate) seconds: f64,
}

static ROWS: Mutex<Vec<Row>> = Mutex::new(Vec::new());

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// `woken`: it had slept in the operation, and had been woken.
    pub(crate) fn count_kill(&mut self, asleep: bool, woken: bool) {
        self.kills += 1;
        self.asleep += usize::from(asleep);
        self.woken += usize::from(woken && !asleep);
    }

    pub(crate) fn count_trouble(&mut self, trouble: &Trouble) {
        match trouble {
            Trouble::Stuck(_) => self.stuck += 1,
            Trouble::Wrong(_) => self.wrong += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.asleep += other.asleep;
        self.woken += other.woken;
        self.stuck += other.stuck;
        self.wrong += other.wrong;
        self.seconds += other.seconds;
    }

    fn print(&self) {
        let Self {
            name,
            kills,
            asleep,
            woken,
            stuck,
            wrong,
            seconds,
        } = self;
        println!(
            "{name:<60} {kills:>6} {asleep:>6} {woken:>6} {stuck:>6} {wrong:>6} {seconds:>8.1}"
        );
    }
}

pub(crate) fn add(row: Row) {
    rows().push(row);
}

pub(crate) fn print() {
    let rows = rows();
    if rows.is_empty() {
        return;
    }
    println!(
        "{:<60} {:>6} {:>6} {:>6} {:>6} {:>6} {:>8}",
        "operation", "points", "asleep", "woken", "stuck", "wrong", "seconds"
    );
    let mut total = Row::new("total");
    for row in rows.iter() {
        row.print();
        total.add(row);
    }
    total.print();
}

fn rows() -> std::sync::MutexGuard<'static, Vec<Row>> {
    ROWS.lock().expect("nobody panics with the table")
}
