//! What a process of its own does: this executable again, told by its environment which scene to
//! play. It answers on its standard error, where the test harness itself says nothing.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use procsync::{Shared, SharedOptions, unlink};
use rustix::fs::Mode;

use crate::processes::Claim;

const SCENE: &str = "PROCSYNC_TEST_SCENE";
const NAME: &str = "PROCSYNC_TEST_NAME";

/// A process that plays `scene` with `name`.
pub(crate) fn process(scene: &str, name: &str) -> Command {
    under(&[], scene, name)
}

/// The same, started by way of another program.
pub(crate) fn under(starter: &[&str], scene: &str, name: &str) -> Command {
    let this = std::env::current_exe()
        .unwrap()
        .into_os_string()
        .into_string()
        .unwrap();
    let mut line = starter.to_vec();
    line.extend([this.as_str(), "--exact", "scene::play", "--nocapture"]);
    let mut command = Command::new(line[0]);
    command
        .args(&line[1..])
        .env(SCENE, scene)
        .env(NAME, name)
        .env("RUST_BACKTRACE", "0");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// What the process answers.
pub(crate) fn answer(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let answer = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{answer}");
    answer
}

#[test]
fn play() {
    let Ok(scene) = std::env::var(SCENE) else {
        return;
    };
    let name = std::env::var(NAME).unwrap();
    match scene.as_str() {
        "open" => eprint!(
            "{:?}",
            Shared::<AtomicU64>::open(&name).map(|n| n.load(Relaxed))
        ),
        "create" => {
            drop(Shared::create(&name, AtomicU64::new(2)).unwrap());
            eprint!("made");
        }
        "modes" => modes(&name),
        "relative" => relative(),
        "stdin" => stdin(),
        "claim" => claim(&name),
        "full" => full(&name),
        "die making the value" => {
            let result = Shared::open_or_create(&name, || -> AtomicU64 { die() });
            panic!("alive: {result:?}");
        }
        other => panic!("unknown scene {other}"),
    }
}

fn die() -> ! {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        .unwrap();
    unreachable!("killed");
}

// The umask is the process's: whoever changes it needs one of its own.
fn modes(name: &str) {
    for umask in [0o777, 0o000, 0o027] {
        rustix::process::umask(Mode::from_raw_mode(umask));
        for mode in [0o660, 0o600, 0o666, 0o640, 0o7777, 0o000] {
            let shared = SharedOptions::new().mode(mode).create(name, 0_u64).unwrap();
            assert_eq!(mode_of(&shared), mode & 0o777, "under umask {umask:o}");
            unlink(name).unwrap();
        }
        let shared = Shared::create(name, 0_u64).unwrap();
        assert_eq!(mode_of(&shared), 0o600, "under umask {umask:o}");
        unlink(name).unwrap();
        let options = SharedOptions::default().mode(0o606);
        assert_eq!(
            mode_of(&options.open_or_create(name, || 0_u64).unwrap()),
            0o606
        );
        unlink(name).unwrap();
    }
    eprint!("done");
}

fn mode_of<T>(shared: &Shared<T>) -> u32 {
    rustix::fs::fstat(shared.as_fd()).unwrap().st_mode & 0o7777
}

fn relative() {
    let shared = Shared::create("./x", AtomicU64::new(5)).unwrap();
    std::fs::create_dir("sub").unwrap();
    for name in ["./x", "sub/../x", ".//x"] {
        Shared::<AtomicU64>::open(name)
            .unwrap()
            .fetch_add(1, Relaxed);
    }
    std::env::set_current_dir("sub").unwrap();
    Shared::<AtomicU64>::open("../x")
        .unwrap()
        .fetch_add(1, Relaxed);
    unlink("../x").unwrap();
    eprint!("{}", shared.load(Relaxed));
}

fn stdin() {
    let fd = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let shared = Shared::<AtomicU64>::from_fd(fd).unwrap();
    eprint!("{}", shared.fetch_add(1, Relaxed));
}

fn claim(name: &str) {
    // All start at once: when the other end of their input is closed.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let shared = Shared::open_or_create(name, || Claim::new(std::process::id())).unwrap();
    eprint!("{}", shared.join());
}

fn full(name: &str) {
    let error = Shared::create(name, [0_u8; 256 << 10]).unwrap_err();
    assert!(Shared::create(&format!("{name}-small"), [0_u8; 4096]).is_ok());
    eprint!("{error:?}");
}
