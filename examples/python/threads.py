"""Threads: handlers run in the main thread; an Event tells the others."""
# SPDX-License-Identifier: MIT
import signal
import threading

stopping = threading.Event()


def stop(signum, frame):
    """Runs in the main thread, whichever thread the kernel gave the signal to."""
    print("handler in", threading.current_thread().name, flush=True)
    stopping.set()


def work(number):
    """Waits by the Event instead of sleeping, so it is told at once."""
    while not stopping.wait(timeout=0.2):
        pass
    print(f"worker {number} finished", flush=True)


signal.signal(signal.SIGTERM, stop)
workers = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for worker in workers:
    worker.start()
print("ready", flush=True)
for worker in workers:
    worker.join()  # the main thread waits in Python code, so handlers can run
print("cleaned up", flush=True)
