"""A pool that ends its own workers: they must not be told behind its back (foster -c)."""
# SPDX-License-Identifier: MIT
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

stopping = False


def stop(signum, frame):
    """No more work is handed out; what was handed out is waited for."""
    global stopping
    stopping = True


def reset():
    """In each worker: SIGTERM at its default, not the handler above."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def work(number):
    """Half a second of work."""
    time.sleep(0.5)
    return number


signal.signal(signal.SIGTERM, stop)
number = 0
try:
    with ProcessPoolExecutor(2, initializer=reset) as pool:
        while not stopping:
            number += 2
            print("begun", number, flush=True)
            print("finished", *pool.map(work, (number - 1, number)), flush=True)
        print("last one", *pool.map(work, (number + 1,)), flush=True)
except BrokenProcessPool:
    sys.exit("lost: a worker was ended by somebody else")
