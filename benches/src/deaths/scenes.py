"""Deaths in CPython's multiprocessing: plays one scene, and prints what the survivors got.

The arguments: the scene, and the number of the system call futex(2). The process that directs never
touches what is tried.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time

BOUND = 2  # Seconds. Who should go on and has not by then is stuck.
ALARM = 50  # Nobody outlives the scene.

context = multiprocessing.get_context("fork")


def start(role):
    def play():
        signal.alarm(ALARM)
        role()

    actor = context.Process(target=play, daemon=True)
    actor.start()
    return actor


def sleeps(actor):
    with open(f"/proc/{actor.pid}/syscall") as file:
        return file.read().split()[0] == sys.argv[2]


def asleep(role):
    actor = start(role)
    while not sleeps(actor):
        assert actor.is_alive(), "it did not wait"
        time.sleep(0.001)
    return actor


def kill(actor):
    actor.kill()
    actor.join()


def goes_on(actor):
    actor.join(BOUND)
    # One that is stuck is left so: to kill it would be another death. It ends with this process.
    assert actor.exitcode in (0, None), actor.exitcode
    return actor.exitcode == 0


def says(what, does_go_on):
    return f"{what} returns" if does_go_on else f"**{what} hangs**"


def one_who_has(it):
    there, here = os.pipe()

    def hold():
        it.acquire()
        os.write(here, b".")
        signal.pause()

    holder = start(hold)
    os.read(there, 1)
    return holder


def kill_the_holder(lock):
    def try_it():
        lock.acquire()
        lock.release()

    holder = one_who_has(lock)
    heir = asleep(try_it)
    kill(holder)
    both = goes_on(heir), goes_on(start(try_it))
    if both == (False, False):
        return "**everybody hangs**"
    return "; ".join(says(who, it) for who, it in zip(("the heir", "a newcomer"), both))


def permit():
    permits = context.Semaphore(1)
    kill(one_who_has(permits))
    following = start(permits.acquire)
    if goes_on(following):
        return "the next one gets a permit"
    assert goes_on(start(permits.release))
    if goes_on(following):
        return "the permit stays taken, the next one waits, until somebody releases one"
    return "**everybody hangs**, whoever releases one"


def event():
    event = context.Event()
    kill(asleep(event.wait))
    waiter = asleep(event.wait)
    setter = says("set", goes_on(start(event.set)))
    woken = says("who waits", goes_on(waiter))
    asked = says("is_set", goes_on(start(event.is_set)))
    timed = says("wait(0.1)", goes_on(start(lambda: event.wait(0.1))))
    return f"{setter}, {woken}; then {asked}, {timed}"


def condition(notify):
    condition = context.Condition()

    def wait():
        with condition:
            condition.wait()

    def signal_it():
        with condition:
            getattr(condition, notify)()

    def lock_it():
        with condition:
            pass

    kill(asleep(wait))
    waiter = asleep(wait)
    first_returns = goes_on(start(signal_it))
    text = says(notify, first_returns) + ", " + says("who waits", goes_on(waiter))
    if first_returns:
        text += "; " + says(f"{notify} with nobody alive there", goes_on(start(signal_it)))
    lock = says("acquiring the lock", goes_on(start(lock_it)))
    return f"{text}; then {lock}"


def barrier(act):
    barrier = context.Barrier(3)

    def wait():
        try:
            barrier.wait()
        except threading.BrokenBarrierError:
            pass

    kill(asleep(wait))
    second = asleep(wait)
    third = start(wait if act == "wait" else getattr(barrier, act))
    return f"{says(act, goes_on(third))}, {says('the second', goes_on(second))}"


SCENES = {
    "lock": lambda: kill_the_holder(context.Lock()),
    "rlock": lambda: kill_the_holder(context.RLock()),
    "permit": permit,
    "event": event,
    "notify": lambda: condition("notify"),
    "notify_all": lambda: condition("notify_all"),
    "barrier_wait": lambda: barrier("wait"),
    "barrier_abort": lambda: barrier("abort"),
    "barrier_reset": lambda: barrier("reset"),
}

signal.alarm(ALARM)
print(SCENES[sys.argv[1]]())
