"""SIGINT: KeyboardInterrupt as Python does it, or ("own") a handler of its own."""
# SPDX-License-Identifier: MIT
import os
import signal
import sys
import time


def ask(signum, frame):
    """The first Ctrl-C asks, the second one is a KeyboardInterrupt again."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.write(1, b"once more to end\n")  # not print: the signal may have come in the middle of one


if sys.argv[1:] == ["own"]:
    signal.signal(signal.SIGINT, ask)
elif signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as a shell's "&" starts it; Python then makes no KeyboardInterrupt of it
    print("SIGINT is ignored", flush=True)
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.5)  # a signal just before a wait is seen after it
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
finally:
    print("cleaned up", flush=True)
