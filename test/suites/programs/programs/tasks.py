"""A task for Celery, sent when the worker is ready."""
# SPDX-License-Identifier: MIT
import celery
from celery.signals import worker_ready

import work

app = celery.Celery("tasks", broker="memory://")
app.conf.worker_redirect_stdouts = False


@app.task
def task():
    work.work()
    print("saved", flush=True)


@worker_ready.connect
def begin(**_):
    task.delay()
