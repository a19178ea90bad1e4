# web_python.py: gunicorn and uvicorn with requests in flight.
# SPDX-License-Identifier: MIT
from loss import FORMS, Requests, row

WSGI = '''
import time
def app(environ, start):
    if environ["PATH_INFO"] == "/slow":
        print("begun", file=open("/srv/jobs", "a"))
        time.sleep(2)
    start("200 OK", [("Content-Length", "4")])
    return [b"done"]
'''
ASGI = '''
import asyncio
async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/slow":
        print("begun", file=open("/srv/jobs", "a"))
        await asyncio.sleep(2)
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"done"})
'''
GUNICORN = 'gunicorn -b 127.0.0.1:8000 -w 2 --threads 8 app:app'
UVICORN = 'uvicorn --port 8000 app:app'

for form in FORMS:
    row('gunicorn', GUNICORN, Requests(path='/slow'), form, files={'/srv/app.py': WSGI})
row('gunicorn, sync workers', 'gunicorn -b 127.0.0.1:8000 -w 2 app:app',
    Requests(path='/slow', running=2), files={'/srv/app.py': WSGI})
for form in 'exec', "sh -c 'setup; app'":
    row('uvicorn', UVICORN, Requests(path='/slow'), form, files={'/srv/app.py': ASGI})
row('uvicorn, 2 workers', UVICORN + ' --workers 2', Requests(path='/slow'), "sh -c 'setup; app'",
    files={'/srv/app.py': ASGI})
