#!/usr/bin/python3
"""A job for RQ's worker."""
# SPDX-License-Identifier: MIT
import redis
import rq

rq.Queue(connection=redis.Redis(unix_socket_path="redis.sock")).enqueue("job.job")
