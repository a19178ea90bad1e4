"""SIGCHLD with subprocesses: a handler that takes a note, and waitpid for known children only."""
# SPDX-License-Identifier: MIT
import signal
import subprocess

ended = []


def child_ended(signum, frame):
    """One SIGCHLD can stand for many children: look at each."""
    for child in children:
        if child not in ended and child.poll() is not None:
            ended.append(child)


children = []
signal.signal(signal.SIGCHLD, child_ended)
# blocked while the list is made, so that the handler sees all of it
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
for status in (0, 3, 5):
    children.append(subprocess.Popen(["sh", "-c", f"sleep 0.3; exit {status}"]))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
# an orphan: its parent ends at once, and it is nobody's here; the init reaps it
subprocess.run(["sh", "-c", "sleep 0.1 &"], check=True)
while len(ended) < len(children):
    signal.pause()
print("statuses", sorted(child.returncode for child in children), flush=True)
