"""A job for RQ."""
# SPDX-License-Identifier: MIT
import work


def job():
    work.work()
    print("saved", flush=True)
