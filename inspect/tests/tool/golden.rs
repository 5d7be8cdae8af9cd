//! What is printed of every kind of thing, word for word.

use std::cell::Cell;
use std::sync::atomic::{AtomicI16, AtomicU64};

use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, FutexWord, Lock, RLock, Semaphore, Shareable,
    Shared, Timer,
};

use crate::{Name, parts, printed};

procsync::shareable! {
    struct Seat { lock: Lock<u16>, row: u32 }

    struct Everything {
        r#type: u8,
        small: i8,
        wide: u128,
        negative: i128,
        single: f32,
        double: f64,
        atomic: AtomicU64,
        signed: AtomicI16,
        nothing: (),
        cell: Lock<Cell<u32>>,
        nested: Lock<Lock<Seat>>,
        again: RLock<u64>,
        semaphore: Semaphore,
        bounded: BoundedSemaphore,
        event: Event,
        condition: Condition,
        barrier: Barrier,
        timer: Timer,
        word: FutexWord,
        label: [u8; 16],
        bytes: [u8; 4],
        runs: [u32; 9],
        grid: [[i64; 2]; 3],
        seats: [Seat; 12],
        foreign: Foreign,
        long: [u64; 100],
    }
}

/// Whose description is missing, since somebody has written `LAYOUT` only.
#[repr(C)]
struct Foreign([u8; 3]);

// SAFETY: `repr(C)`, bytes only; the layout is this type's alone.
unsafe impl Shareable for Foreign {
    const LAYOUT: u64 = 0x0123_4567_89ab_cdef;
}

fn seat(row: u16) -> Seat {
    Seat {
        lock: Lock::new(row),
        row: u32::from(row),
    }
}

fn everything() -> Everything {
    let event = Event::new();
    for _ in 0..3 {
        event.set();
        event.clear();
    }
    event.set();
    let timer = Timer::new();
    assert!(timer.cancel());
    let barrier = Barrier::new(3);
    barrier.abort();
    Everything {
        r#type: 200,
        small: -1,
        wide: u128::MAX,
        negative: -5,
        single: 0.1,
        double: f64::NAN,
        atomic: AtomicU64::new(u64::MAX),
        signed: AtomicI16::new(-300),
        nothing: (),
        cell: Lock::new(Cell::new(7)),
        nested: Lock::new(Lock::new(seat(1))),
        again: RLock::new(4),
        semaphore: Semaphore::new(1),
        bounded: BoundedSemaphore::new(4),
        event,
        condition: Condition::new(),
        barrier,
        timer,
        word: FutexWord::new(77),
        label: *b"a \"till\"\0\0\0\0\0\0\0\0",
        bytes: [1, 2, 2, 255],
        runs: [0, 0, 0, 5, 6, 6, 0, 0, 0],
        grid: [[1, 2], [1, 2], [3, 3]],
        seats: std::array::from_fn(|i| seat(u16::from(i > 4))),
        foreign: Foreign([0xab, 0xcd, 0xef]),
        long: std::array::from_fn(|i| i as u64),
    }
}

const EXPECTED: &str = r#"
value Lock free
value.r#type u8 200
value.small i8 -1
value.wide u128 340282366920938463463374607431768211455
value.negative i128 -5
value.single f32 0.1
value.double f64 NaN
value.atomic AtomicU64 18446744073709551615
value.signed AtomicI16 -300
value.cell Lock free
*value.cell Cell<u32> 7
value.nested Lock free
*value.nested Lock free
value.nested.lock Lock free
*value.nested.lock u16 1
value.nested.row u32 1
value.again RLock free
*value.again u64 4
value.semaphore Semaphore 1 permit
value.bounded BoundedSemaphore 4 permits of 4
value.event Event set; cleared 3 times
value.condition Condition nobody waits
value.barrier Barrier broken
value.timer Timer cancelled
value.word FutexWord 77
value.label [u8; 16] "a \"till\""
value.bytes [u8; 4] 1, 2 ×2, 255
value.runs [u32; 9] 0 ×3, 5, 6 ×2, 0 ×3
value.grid[0..2] [i64; 2] 1, 2
value.grid[2] [i64; 2] 3 ×2
value.seats[0..5].lock Lock free
*value.seats[0..5].lock u16 0
value.seats[0..5].row u32 0
value.seats[5..12].lock Lock free
*value.seats[5..12].lock u16 1
value.seats[5..12].row u32 1
value.foreign unknown ab cd ef
value.long [u64; 100] 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, … 84 more
"#;

#[test]
fn everything_has_its_words() {
    let name = Name::new("golden");
    let _value = Shared::create(&name.0, Lock::new(everything())).unwrap();
    let report = printed(&["inspect", &name.0]);
    let lines = parts(&report);
    assert_eq!(lines.join("\n"), EXPECTED.trim());
}

#[test]
fn columns_are_aligned() {
    let name = Name::new("columns");
    let _value = Shared::create(&name.0, seat(3)).unwrap();
    let report = printed(&["inspect", &name.0]);
    let expected = "
  lock   Lock  free
  *lock  u16   3
  row    u32   3
";
    assert!(report.ends_with(expected), "{report}");
}

#[test]
fn of_many_elements_those_are_shown_that_may_be_the_reason() {
    let name = Name::new("many");
    let seats: [Seat; 200] = std::array::from_fn(|i| seat(u16::try_from(i).unwrap()));
    let value = Shared::create(&name.0, seats).unwrap();
    let _guard = value[150].lock.acquire().unwrap();
    let lines = parts(&printed(&["inspect", &name.0]));
    // Sixteen are shown anyhow.
    assert_eq!(lines[47], "value[15].row u32 15");
    assert!(
        lines[48].starts_with("value[150].lock Lock held by"),
        "{lines:?}"
    );
    assert_eq!(lines[51], "value[..] … 183 more");
    assert_eq!(lines.len(), 52);
}
