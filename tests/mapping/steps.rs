//! A creator that is stopped at every entry into, and exit from, a system call: to be killed there,
//! or to find the name taken or gone when it goes on.

use std::os::unix::process::ExitStatusExt;

use procsync::{ShareError, Shared, unlink};

use crate::{directory, files_in, name_in, scene};

type Value = [u64; 1000];

#[test]
fn a_creator_killed_while_it_makes_the_value_leaves_nothing() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let status = scene::process("die making the value", &name)
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    assert_eq!(files_in(&directory), [""; 0]);
}

#[test]
fn a_creator_killed_before_or_after_any_system_call_leaves_all_or_nothing() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let mut outcomes = Vec::new();
    for steps in 0.. {
        let creator = Creator::start(&name, steps);
        let finished = (0..steps).any(|_| creator.step() == Step::Finished);
        if !finished {
            creator.kill();
        }
        match Shared::<Value>::open(&name) {
            Ok(shared) => assert_eq!(*shared, [steps; 1000]),
            Err(error) => assert!(
                matches!(error, ShareError::NotFound),
                "{error:?} at {steps}"
            ),
        }
        outcomes.push(unlink(&name).is_ok());
        assert_eq!(files_in(&directory), [""; 0], "at {steps}");
        if finished {
            break;
        }
    }
    // There were deaths on both sides of the instant at which the name came to exist, and only one
    // such instant.
    let absent = outcomes.iter().take_while(|found| !**found).count();
    assert!(absent > 10 && absent + 1 < outcomes.len(), "{outcomes:?}");
    assert!(
        outcomes[absent..].iter().all(|found| *found),
        "{outcomes:?}"
    );
}

#[test]
fn open_or_create_gets_on_whatever_becomes_of_the_name() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let mut coins = Coins(1);
    for round in 0..100 {
        let creator = Creator::start(&name, 1);
        while creator.step() == Step::Stopped {
            if coins.toss() {
                toggle(&name);
            }
        }
        if let Ok(shared) = Shared::<Value>::open(&name) {
            assert!(
                *shared == [1; 1000] || *shared == [2; 1000],
                "in round {round}"
            );
            unlink(&name).unwrap();
        }
        assert_eq!(files_in(&directory), [""; 0]);
    }
}

fn toggle(name: &str) {
    match unlink(name) {
        Err(ShareError::NotFound) => drop(Shared::<Value>::create(name, [2; 1000]).unwrap()),
        result => result.unwrap(),
    }
}

// The same tosses in every run (xorshift).
struct Coins(u32);

impl Coins {
    fn toss(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % 2 == 0
    }
}

#[derive(PartialEq)]
enum Step {
    Stopped,
    Finished,
}

/// A process that is about to open or create a value full of one number, and stands still.
struct Creator(libc::pid_t);

impl Creator {
    fn start(name: &str, number: u64) -> Self {
        // SAFETY: the child calls what a child of a process with several threads may call with this
        // libc, whose allocator is usable after fork, and never returns.
        let child = unsafe { libc::fork() };
        if child == 0 {
            create_traced(name, number);
        }
        assert!(child > 0);
        assert!(libc::WIFSTOPPED(wait(child)));
        Self(child)
    }

    /// Lets it go on to the next entry into, or exit from, a system call.
    fn step(&self) -> Step {
        trace(libc::PTRACE_SYSCALL, self.0);
        let status = wait(self.0);
        if libc::WIFSTOPPED(status) {
            return Step::Stopped;
        }
        assert!(
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
            "{status:#x}"
        );
        Step::Finished
    }

    fn kill(self) {
        // SAFETY: it is our child, which was not waited for to its end.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        assert!(libc::WIFSIGNALED(wait(self.0)));
    }
}

fn create_traced(name: &str, number: u64) -> ! {
    trace(libc::PTRACE_TRACEME, 0);
    // SAFETY: it stops this process, for its parent to go on from here.
    unsafe { libc::raise(libc::SIGSTOP) };
    let made = Shared::open_or_create(name, || [number; 1000]).is_ok();
    // SAFETY: it ends the process without running anything of the parent's.
    unsafe { libc::_exit(i32::from(!made)) }
}

fn trace(request: libc::c_uint, process: libc::pid_t) {
    // SAFETY: these requests touch no memory.
    let result = unsafe { libc::ptrace(request, process, 0, 0) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

fn wait(process: libc::pid_t) -> libc::c_int {
    let mut status = 0;
    // SAFETY: `status` is a place for the status.
    let waited = unsafe { libc::waitpid(process, &raw mut status, 0) };
    assert_eq!(waited, process);
    status
}
