"""SIGCHLD: the program collects its own children; an orphan is the init's."""
# SPDX-License-Identifier: MIT
import signal
import subprocess
import time

children = []


def child_ended(signum, frame):
    """One SIGCHLD can stand for many: looks at each child that it knows, and at no other."""
    for child in children:
        child.poll()


def zombies():
    """How many there are in this container."""
    count = "grep -ls '^State:.Z' /proc/[0-9]*/status | wc -l"
    return int(subprocess.run(["sh", "-c", count], capture_output=True, check=True).stdout)


signal.signal(signal.SIGCHLD, child_ended)
# the pipe is closed when the orphan ends; its parent, the shell, has ended at once
with subprocess.Popen(["sh", "-c", "sleep 0.2 &"], stdout=subprocess.PIPE) as shell:
    shell.stdout.read()
# held back until all are known; for those that end meanwhile it comes afterwards
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
for status in (0, 3, 5):
    children.append(subprocess.Popen(["sh", "-c", f"exit {status}"]))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
while any(child.returncode is None for child in children):
    time.sleep(0.1)  # the program's own work
print("statuses", *(child.returncode for child in children), flush=True)
for _ in range(20):
    if zombies():
        time.sleep(0.1)  # an init reaps it any moment now
print("zombies", zombies(), flush=True)
