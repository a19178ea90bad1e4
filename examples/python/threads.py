"""Threads: handlers run in the main thread; an Event tells the others."""
# SPDX-License-Identifier: MIT
import os
import signal
import threading

stopping = threading.Event()


def stop(signum, frame):
    """Runs in the main thread, whichever thread the kernel gave the signal to."""
    # not print: the signal may have come in the middle of one
    os.write(1, f"handler in {threading.current_thread().name}\n".encode())
    stopping.set()


def work(number):
    """Waits for the Event where it would sleep, so it is told at once."""
    while not stopping.wait(timeout=60):
        pass
    print(f"worker {number} finished\n", end="", flush=True)  # in one piece


signal.signal(signal.SIGTERM, stop)
workers = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
for worker in workers:
    worker.start()
print("ready", flush=True)
for worker in workers:
    while worker.is_alive():
        worker.join(timeout=0.5)  # a signal just before a wait is seen after it
print("cleaned up", flush=True)
