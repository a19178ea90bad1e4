#!/usr/bin/python3
"""SIGTERM makes it write its data through gzip; a second one means "at once"."""
# SPDX-License-Identifier: MIT
import os
import signal
import subprocess
import sys
import time


def tell(*_):
    global told
    print("told worker", file=sys.stderr, flush=True)
    if told:
        sys.exit("at once")
    told = True


told = False
signal.signal(signal.SIGTERM, tell)
print("ready", flush=True)
while not told:
    time.sleep(0.1)
with subprocess.Popen(["gzip"], stdin=subprocess.PIPE, stdout=open("data.gz", "wb")) as gzip:
    for _ in range(10):
        gzip.stdin.write(os.urandom(1_000_000))
        time.sleep(0.2)
if gzip.returncode == 0:
    print("saved", flush=True)
