//! Results that say whether there is something to be given back, and guards that nobody keeps.

#![deny(unused_must_use)]

use std::time::{Duration, Instant};

use procsync::{Barrier, Condition, Lock, RLock, Semaphore, Timer, wait_any};

fn main() {
    let (lock, rlock) = (Lock::new(0), RLock::new(0));
    lock.acquire();
    lock.acquire().unwrap();
    rlock.acquire().unwrap();

    let semaphore = Semaphore::new(1);
    semaphore.acquire();
    semaphore.try_acquire();
    semaphore.acquire_timeout(Duration::ZERO);
    semaphore.acquire_until(Instant::now());
    semaphore.release(1);

    wait_any(&[(&semaphore).into()]);
    wait_any(&[(&semaphore).into()]).unwrap();

    Barrier::new(1).wait();
    Timer::new().run(Duration::ZERO, || ());
    let mut guard = lock.acquire().unwrap();
    Condition::new().wait(&mut guard);
    procsync::unlink("/state");
}
