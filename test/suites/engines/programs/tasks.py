"""A task for Celery that waits for the gate."""
# SPDX-License-Identifier: MIT
import pathlib

import celery

app = celery.Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": "/tmp", "data_folder_out": "/tmp"}


@app.task
def work():
    """Begun before the stop, finished after it."""
    print("task begun", flush=True)
    pathlib.Path("/srv/gate").read_bytes()
    print("task finished", flush=True)
