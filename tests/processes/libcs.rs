//! libc's robust mutexes and these locks in the same thread: both kinds are on one list.

use std::thread;

use procsync::Lock;

use crate::common::held::{
    hold, is_held, is_poisoned_and_free, is_sound_and_free, static_in_child,
};
use crate::common::{Found, Mapped, Plain, Pthread};
use crate::die_doing;

#[repr(C)]
struct Mixture {
    ours: [Lock<u32>; 2],
    libcs: [Pthread; 2],
}

// SAFETY: all fields are.
unsafe impl Plain for Mixture {}

/// Ours are 0 and 1, libc's 2 and 3. Each is locked and later unlocked.
type Course = Vec<usize>;

const OURS: usize = 2;
const ALL: usize = 4;

/// Every beginning of every order in which all can be locked and unlocked, but for the two of a
/// kind changing places.
fn courses() -> Vec<Course> {
    let mut courses = vec![Course::new()];
    let mut done = 0;
    while done < courses.len() {
        let course = courses[done].clone();
        let times = |item: usize| course.iter().filter(|&&done| done == item).count();
        for item in 0..ALL {
            let comes_second = item % 2 == 1;
            let too_early = comes_second && times(item) == 0 && times(item - 1) == 0;
            if times(item) < 2 && !too_early {
                courses.push([course.as_slice(), &[item]].concat());
            }
        }
        done += 1;
    }
    courses
}

impl Mixture {
    fn run(&self, course: &[usize]) {
        let mut held = [false; ALL];
        for &item in course {
            match (item < OURS, held[item]) {
                (true, false) => hold(&self.ours[item]),
                // SAFETY: held by this thread, whose guard was forgotten.
                (true, true) => unsafe { self.ours[item].force_release() },
                (false, false) => assert_eq!(self.libcs[item - OURS].lock(), Found::Clean),
                (false, true) => self.libcs[item - OURS].unlock(),
            }
            held[item] = !held[item];
        }
    }
}

fn is_held_after(course: &[usize], item: usize) -> bool {
    course.iter().filter(|&&done| done == item).count() == 1
}

fn check_libcs(mixture: &Mixture, course: &[usize]) {
    for (index, mutex) in mixture.libcs.iter().enumerate() {
        let held = is_held_after(course, index + OURS);
        let expected = if held { Found::OwnerDied } else { Found::Clean };
        assert_eq!(
            mutex.try_lock(),
            Some(expected),
            "{course:?}, libc's {index}"
        );
        mutex.unlock();
    }
}

fn check_ours(mixture: &Mixture, course: &[usize], check: fn(&Lock<u32>) -> bool) {
    for (index, lock) in mixture.ours.iter().enumerate() {
        let right = if is_held_after(course, index) {
            check(lock)
        } else {
            is_sound_and_free(lock)
        };
        assert!(right, "{course:?}, lock {index}");
    }
}

#[test]
fn both_kinds_are_recovered_in_any_order() {
    let mut mixture: Mapped<Mixture> = Mapped::zeroed();
    for course in courses() {
        mixture.clear();
        mixture.libcs.iter().for_each(Pthread::initialize);
        die_doing(|| mixture.run(&course));
        check_libcs(&mixture, &course);
        check_ours(&mixture, &course, is_poisoned_and_free);
    }
}

#[test]
fn a_thread_ends_with_both_kinds_held() {
    let mut mixture: Mapped<Mixture> = Mapped::zeroed();
    for course in courses() {
        mixture.clear();
        mixture.libcs.iter().for_each(Pthread::initialize);
        die_doing(|| {
            // A scope would end a little earlier than the thread.
            let (shared, course) = (static_in_child(&*mixture), course.clone());
            let thread = thread::spawn({
                let course = course.clone();
                move || shared.run(&course)
            });
            thread.join().expect("it just ends");
            check_libcs(&mixture, &course);
            check_ours(&mixture, &course, is_held);
        });
        check_ours(&mixture, &course, is_poisoned_and_free);
    }
}
