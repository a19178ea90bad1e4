"""What is at work when the stop comes, and takes 2 s more."""
# SPDX-License-Identifier: MIT
import os
import sys
import time


def work(number=0):
    """The file is there when SIGTERM was sent: nothing is finished by being early."""
    print("working", flush=True)
    while not os.path.exists("stopping"):
        time.sleep(0.1)
    time.sleep(2)
    return number


def tell(who):
    """Says that who got the signal."""
    print("told", who, file=sys.stderr, flush=True)
