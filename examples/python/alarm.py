"""signal.alarm as a time-out for one call, from inside the program."""
# SPDX-License-Identifier: MIT
import contextlib
import signal
import time


class TimeOut(Exception):
    """The call took too long."""


@contextlib.contextmanager
def limit(seconds):
    """Raises TimeOut in its block after that time; for the main thread only."""

    def expired(signum, frame):
        raise TimeOut

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


try:
    with limit(0.5):
        time.sleep(60)
except TimeOut:
    print("too slow, going on", flush=True)
with limit(30):
    print("fast enough", flush=True)
