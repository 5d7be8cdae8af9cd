//! Opening while somebody changes the file. What is opened is not looked at: whoever cuts it off then
//! ends the process, as the crate says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use procsync::{ShareError, Shared};

use super::expected::Expected;
use super::{Plain, Scene, set_len};

const ROUNDS: usize = 20;

/// Runs `body` some times while another thread does `meanwhile` again and again.
fn race(meanwhile: impl Fn() + Sync, mut body: impl FnMut()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                meanwhile();
            }
        });
        (0..ROUNDS).for_each(|_| body());
        over.store(true, Ordering::Relaxed);
        other.join().expect("a panic has ended the process");
    });
}

/// What was cut off comes back as zeros: at best it is a file that was there at some time.
pub(super) fn truncate<T: Plain>(scene: &Scene, short: u64, before: &Expected) {
    let long = scene.len();
    let short = short.min(long);
    let cut = || {
        set_len(&scene.file, short);
        set_len(&scene.file, long);
    };
    race(cut, || {
        let opened = Expected::from_result(&Shared::<T>::open(scene.name()));
        let damaged = !matches!(opened, Expected::Ok | Expected::Other);
        assert!(
            damaged || opened == *before,
            "{opened:?}, before it was {before:?}"
        );
    });
}

/// The name is always there or not, and what has it is whole.
pub(super) fn unlink<T: Plain>(scene: &Scene) {
    let other = || {
        // Neither need succeed.
        let _ = procsync::unlink(scene.name());
        let _ = Shared::create(scene.name(), T::NEW);
    };
    let is_whole = |opened: Result<Shared<T>, ShareError>| match opened {
        Ok(opened) => Expected::Ok.check_value(&opened, &own_file(&opened)),
        Err(error) => assert!(matches!(error, ShareError::NotFound), "{error:?}"),
    };
    // The damaged one goes first.
    procsync::unlink(scene.name()).expect("it is there");
    race(other, || {
        is_whole(Shared::open(scene.name()));
        is_whole(Ok(
            Shared::open_or_create(scene.name(), || T::NEW).expect("it can be had")
        ));
    });
}

fn own_file<T>(shared: &Shared<T>) -> std::fs::File {
    use std::os::fd::AsFd;
    shared
        .as_fd()
        .try_clone_to_owned()
        .expect("descriptors can be had")
        .into()
}
