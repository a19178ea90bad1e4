#!/usr/bin/python3
"""A pool of two at work; SIGTERM: what has begun is finished."""
# SPDX-License-Identifier: MIT
import multiprocessing
import signal
import threading

from work import tell, work

stop = threading.Event()
pool = multiprocessing.Pool(2)
results = pool.map_async(work, range(2))
signal.signal(signal.SIGTERM, lambda *_: (tell("pool"), stop.set()))
stop.wait()
print("saved", results.get(), flush=True)
pool.close()
pool.join()
