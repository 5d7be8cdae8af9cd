# What becomes of the others when one who uses multiprocessing is killed. Prints "victim: type: others".
import multiprocessing
import os
import signal

processes = multiprocessing.get_context("fork")
FUTEX = "202"  # On x86-64; sem_wait(3) sleeps in it.
PATIENCE = 2


def actor(work):
    process = processes.Process(target=work, daemon=True)
    process.start()
    return process


def kill(process):
    process.kill()
    process.join()


def await_sleep(process):
    call = ""
    while call != FUTEX:
        with open(f"/proc/{process.pid}/syscall") as file:
            call = file.read().split()[0]


def stand_still():
    os.kill(os.getpid(), signal.SIGSTOP)


def killed_standing(work):
    process = actor(lambda: (work(), stand_still()))
    os.waitpid(process.pid, os.WUNTRACED)
    kill(process)


def killed_asleep(work):
    process = actor(work)
    await_sleep(process)
    kill(process)


def hangs(work):
    process = actor(work)
    process.join(PATIENCE)
    hanging = process.is_alive()
    kill(process)
    return hanging


def show(victim, kind, hanging, sound="go on"):
    print(f"{victim}: {kind}: {'**hang**' if hanging else sound}", flush=True)


def under(lock, work):
    def both():
        with lock:
            work()

    return both


for kind in ("Lock", "RLock"):
    lock = getattr(processes, kind)()
    killed_standing(lock.acquire)
    show("the holder of a lock", kind, hangs(lock.acquire), "go on, and are told nothing")

permits = processes.Semaphore(1)
killed_standing(permits.acquire)
gone = hangs(permits.acquire)
print(f"one who has a permit: Semaphore: {'its permit is gone' if gone else 'get its permit'}", flush=True)

event = processes.Event()
killed_asleep(event.wait)
print(f"one who waits for an event: Event: {'**hang** as they set it' if hangs(event.set) else 'set it'}", flush=True)

condition = processes.Condition()
killed_asleep(under(condition, condition.wait))
hanging = hangs(under(condition, condition.notify))
print(f"one who waits for a condition: Condition: {'**hang** as they notify' if hanging else 'notify'}", flush=True)

barrier = processes.Barrier(3)
killed_asleep(barrier.wait)
hanging = hangs(barrier.abort)
print(f"a party that waits at a barrier: Barrier: {'**hang**, as they abort it, too' if hanging else 'abort it'}", flush=True)
