"""SIGTERM with a flag: the item at hand is finished, then everything is put away."""
# SPDX-License-Identifier: MIT
import signal
import time

stopping = False


def stop(signum, frame):
    """Only takes a note: a handler runs between any two instructions of the program."""
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
item = 0
while not stopping:
    item += 1
    print(f"item {item} begun", flush=True)
    time.sleep(0.5)  # the work; after a handler it goes on where it was (PEP 475)
    print(f"item {item} finished", flush=True)
print("cleaned up", flush=True)
