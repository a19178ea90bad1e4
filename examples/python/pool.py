"""A pool that ends its own workers: told alone (foster -c), it loses no result."""
# SPDX-License-Identifier: MIT
import multiprocessing
import signal
import sys
import time

stopping = False


def stop(signum, frame):
    """No more work is handed out; what was handed out is waited for."""
    global stopping
    stopping = True


def reset():
    """In each worker: SIGTERM at its default, as Pool.terminate() needs it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def work(number):
    """Half a second of work."""
    time.sleep(0.5)
    return number


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    begun = finished = 0
    with multiprocessing.Pool(2, reset) as pool:
        while not stopping:
            results = [pool.apply_async(work, (n,)) for n in range(2)]
            begun += 2
            print("begun", begun, flush=True)
            for result in results:
                result.wait(5)
                finished += result.ready()
        pool.close()
        print("lost", begun - finished, flush=True)
    sys.exit(begun != finished)
