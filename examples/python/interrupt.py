"""SIGINT: KeyboardInterrupt as Python does it, or ("own") a handler of its own."""
# SPDX-License-Identifier: MIT
import signal
import sys
import time


def ask_twice(signum, frame):
    """The first Ctrl-C asks, the second one ends."""
    print("once more to end", flush=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)


if sys.argv[1:] == ["own"]:
    signal.signal(signal.SIGINT, ask_twice)
elif signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started by a shell's "&": Python then leaves SIGINT ignored
    print("SIGINT is ignored", flush=True)
print("ready", flush=True)
try:
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
finally:
    print("cleaned up", flush=True)
