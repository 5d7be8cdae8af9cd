//! Values with a name: the death of who makes one.

use std::ptr::null_mut;

use procsync::{ShareError, Shared};
use rustix::fs::{Mode, fstat, ftruncate};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::shm;

use super::actors::{Asked, Puppet, Trouble};
use super::{Case, Outcome, Played, Row};

type Value = [u64; 512];

const VALUE: Value = [7; 512];

pub(super) fn creator() -> Case {
    fn row<M: Maker + 'static>() -> Row {
        Row::new(M::LIBRARY, kill_the_maker::<M>)
    }
    Case {
        who: "Who makes a value with a name",
        how: "It is killed before its first system call, another one before its second, and so on. Each time,\n\
              somebody opens the name, and looks.",
        rows: vec![row::<Ours>(), row::<ShmOpen>()],
    }
}

/// What is there under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// It has no bytes, or others than were to be there.
    Half,
    Whole,
}

trait Maker {
    const LIBRARY: &'static str;

    fn make(name: &str);

    fn look(name: &str) -> Found;

    fn unlink(name: &str);
}

fn kill_the_maker<M: Maker>() -> Played {
    let mut found = [0; 3];
    for kill_at in 1.. {
        let name = format!("/procsync-deaths-{}-{kill_at}", std::process::id());
        let maker = Puppet::start(|| (), || M::make(&name))?;
        let came = goes_to_its_system_call(&maker, kill_at)?;
        maker.kill();
        found[look::<M>(&name)? as usize] += 1;
        M::unlink(&name);
        if !came {
            break;
        }
    }
    let [nothing, half, whole] = found;
    let mut text = format!("nothing {}, ", times(nothing));
    if half > 0 {
        text += &format!("**half a value {}**, ", times(half));
    }
    text += &format!("the whole value {}", times(whole));
    let are_on_both_sides = nothing > 0 && whole > 0;
    Ok(Outcome::new(half == 0 && are_on_both_sides, text))
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    }
}

/// `false`: it ended before.
fn goes_to_its_system_call(maker: &Puppet, number: u32) -> Result<bool, Trouble> {
    for _ in 0..number {
        if !maker.goes_to_a_system_call()? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// In a process of its own, as openers are.
fn look<M: Maker>(name: &str) -> Result<Found, Trouble> {
    let is = |what| move || M::look(name) == what;
    for what in [Found::Nothing, Found::Half, Found::Whole] {
        let answer = Asked::start(is(what)).answer()?;
        let stuck = || Trouble("an opener hangs".to_owned());
        if answer.ok_or_else(stuck)? {
            return Ok(what);
        }
    }
    Err(Trouble("one of the three".to_owned()))
}

struct Ours;

impl Maker for Ours {
    const LIBRARY: &'static str = "procsync Shared::create";

    fn make(name: &str) {
        std::mem::forget(Shared::create(name, VALUE));
    }

    fn look(name: &str) -> Found {
        match Shared::<Value>::open(name) {
            Ok(shared) if *shared == VALUE => Found::Whole,
            Err(ShareError::NotFound) => Found::Nothing,
            _ => Found::Half,
        }
    }

    fn unlink(name: &str) {
        // It may not be there.
        let _ = procsync::unlink(name);
    }
}

/// As the manual page of `shm_open` has it.
struct ShmOpen;

impl Maker for ShmOpen {
    const LIBRARY: &'static str = "shm_open, ftruncate, mmap";

    fn make(name: &str) {
        let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
        let file = shm::open(name, flags, Mode::RUSR | Mode::WUSR).expect("shared memory");
        ftruncate(&file, size_of::<Value>() as u64).expect("shared memory");
        let (access, sharing) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: without an address and MAP_FIXED it does not touch other mappings.
        let value = unsafe { mmap(null_mut(), size_of::<Value>(), access, sharing, &file, 0) };
        let value = value.expect("shared memory").cast::<Value>();
        // SAFETY: mapped, large enough, aligned to a page, and nobody has a reference to it.
        unsafe { value.write(VALUE) };
    }

    fn look(name: &str) -> Found {
        let file = match shm::open(name, shm::OFlags::RDONLY, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Found::Nothing,
            Err(_) => return Found::Half,
        };
        let size = fstat(&file).map_or(0, |status| status.st_size);
        if size != size_of::<Value>() as i64 {
            return Found::Half;
        }
        let mut bytes = vec![0; size_of::<Value>()];
        let read = rustix::io::pread(&file, &mut bytes, 0);
        let whole: Vec<u8> = VALUE.iter().flat_map(|word| word.to_ne_bytes()).collect();
        if read == Ok(bytes.len()) && bytes == whole {
            Found::Whole
        } else {
            Found::Half
        }
    }

    fn unlink(name: &str) {
        // It may not be there.
        let _ = shm::unlink(name);
    }
}
