#!/usr/bin/python3
"""An executor's two processes at work; SIGTERM: what has begun is finished."""
# SPDX-License-Identifier: MIT
import concurrent.futures
import signal
import threading

from work import tell, work

stop = threading.Event()
with concurrent.futures.ProcessPoolExecutor(2) as executor:
    futures = [executor.submit(work, number) for number in range(2)]
    signal.signal(signal.SIGTERM, lambda *_: (tell("executor"), stop.set()))
    stop.wait()
    print("saved", [future.result() for future in futures], flush=True)
