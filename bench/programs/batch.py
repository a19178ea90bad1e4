# batch.py: a worker that turns one file after the other into another one.
# SPDX-License-Identifier: MIT
from loss import FORMS, Files, row

WORKER = '''
import signal, sys, time
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
number = 0
while not stopping:
    number += 1
    print("file", number, flush=True)
    with open(f"/srv/out/{number}", "wb", buffering=0) as out:
        for _ in range(20):
            out.write(bytes(1000))
            time.sleep(0.1)
'''

for form in FORMS:
    row('batch worker', 'python3 worker.py', Files(size=20000), form,
        files={'/srv/worker.py': WORKER})

# no handler: what most scripts are
SCRIPT = '''
n=0
while :; do
    n=$((n + 1))
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        head -c 1000 /dev/zero >>/srv/out/$n
        sleep 0.2
    done
done
'''
row('batch worker in sh', 'sh worker.sh', Files(size=10000), files={'/srv/worker.sh': SCRIPT})
