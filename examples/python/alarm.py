"""signal.alarm as a time-out for one block, from inside the program."""
# SPDX-License-Identifier: MIT
import contextlib
import signal
import time


class TimeOut(Exception):
    """The block took too long."""


@contextlib.contextmanager
def limit(seconds):
    """Raises TimeOut in its block after that time; for the main thread only."""

    def expired(signum, frame):
        raise TimeOut

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


try:
    with limit(1):
        time.sleep(60)
except TimeOut:
    print("too slow, going on", flush=True)
with limit(60):
    print("fast enough", flush=True)
