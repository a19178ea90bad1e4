# queues.py: workers with jobs: Celery and RQ, whose broker is another container, and a process
# pool.
# SPDX-License-Identifier: MIT
from loss import Jobs, row

JOB = '''
import time
def job(number):
    with open("/srv/jobs", "a") as file:
        print("begun", number, file=file, flush=True)
        time.sleep(2)
        print("done", number, file=file, flush=True)
'''
CELERY = JOB + '''
import celery
app = celery.Celery("tasks", broker="redis://127.0.0.1")
task = app.task(job)
'''
SUBMIT_CELERY = '''python3 -c "
import tasks
for n in range(40):
    tasks.task.delay(n)"'''
SUBMIT_RQ = '''python3 -c "
import redis, rq, tasks
queue = rq.Queue(connection=redis.Redis())
for n in range(40):
    queue.enqueue(tasks.job, n)"'''
BROKER = ['redis-server --save ""']

for form in 'exec', "sh -c 'setup; app'", 'trap that forwards', 'app | tee log':
    row('Celery', 'celery -A tasks worker -c 4 -l info --without-gossip --without-mingle',
        Jobs(submit=SUBMIT_CELERY), form, files={'/srv/tasks.py': CELERY}, beside=BROKER)
for form in 'exec', "sh -c 'setup; app'":
    row('RQ', 'rq worker', Jobs(submit=SUBMIT_RQ, running=1), form, files={'/srv/tasks.py': JOB},
        beside=BROKER)

POOL = JOB + '''
import concurrent.futures, signal, sys
def stop(*_):
    pool.shutdown(wait=True, cancel_futures=True)
    sys.exit()
with concurrent.futures.ProcessPoolExecutor(4) as pool:
    futures = [pool.submit(job, n) for n in range(40)]
    signal.signal(signal.SIGTERM, stop)
    concurrent.futures.wait(futures)
'''
for form in 'exec', "sh -c 'setup; app'":
    row('Python process pool', 'python3 pool.py', Jobs(), form, files={'/srv/pool.py': POOL})
