"""SIGHUP: what the program was given, ignored (SIG_IGN), and at its default again (SIG_DFL)."""
# SPDX-License-Identifier: MIT
import os
import signal

NAMES = {signal.SIG_DFL: "default", signal.SIG_IGN: "ignored"}
print("given:", NAMES[signal.getsignal(signal.SIGHUP)], flush=True)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.kill(os.getpid(), signal.SIGHUP)
print("ignored: still here", flush=True)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.kill(os.getpid(), signal.SIGHUP)
print("default: still here", flush=True)
