#!/usr/bin/python3
"""SIGTERM makes it write to redis, for 2 s."""
# SPDX-License-Identifier: MIT
import signal
import sys
import time

import redis

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
server = redis.Redis(unix_socket_path="redis.sock")
while True:
    try:
        server.set("state", "begun")
        break
    except redis.exceptions.ConnectionError:
        time.sleep(0.1)
print("ready", flush=True)
signal.sigwait({signal.SIGTERM})
print("told writer", file=sys.stderr, flush=True)
for number in range(10):
    server.set("state", f"written {number}")
    time.sleep(0.2)
server.set("state", "the last word")
