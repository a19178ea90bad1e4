"""An application for gunicorn; the answer to /slow waits for the gate."""
# SPDX-License-Identifier: MIT


def app(environ, start_response):
    """WSGI."""
    if environ["PATH_INFO"] == "/slow":
        print("in flight", flush=True)
        with open("/srv/gate", encoding="ascii") as gate:
            gate.read()
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
