//! A creator that is killed leaves a whole value, or nothing.

use std::os::unix::process::ExitStatusExt;

use procsync::{ShareError, Shared, unlink};

use crate::{directory, files_in, name_in, scene};

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
    for stops in 0.. {
        let finished = create_and_die(&name, stops);
        match Shared::<[u64; 1000]>::open(&name) {
            Ok(shared) => assert_eq!(*shared, [stops; 1000]),
            Err(error) => assert!(
                matches!(error, ShareError::NotFound),
                "{error:?} at {stops}"
            ),
        }
        let found = unlink(&name).is_ok();
        assert_eq!(files_in(&directory), [""; 0], "at {stops}");
        outcomes.push(found);
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

// Starts a process that creates a value, and kills it at its `stops`-th entry into, or exit from, a
// system call. True: it finished before that.
fn create_and_die(name: &str, stops: u64) -> bool {
    // SAFETY: the child calls what a child of a process with several threads may call with this
    // libc, whose allocator is usable after fork, and never returns.
    let child = unsafe { libc::fork() };
    if child == 0 {
        create_traced(name, stops);
    }
    assert!(child > 0);
    let mut status = wait(child);
    for _ in 0..stops {
        trace(libc::PTRACE_SYSCALL, child);
        status = wait(child);
        if libc::WIFEXITED(status) {
            assert_eq!(libc::WEXITSTATUS(status), 0);
            return true;
        }
    }
    assert!(libc::WIFSTOPPED(status));
    // SAFETY: it is our child, which was not waited for to its end.
    unsafe { libc::kill(child, libc::SIGKILL) };
    assert!(libc::WIFSIGNALED(wait(child)));
    false
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
