"""The same for uvicorn."""
# SPDX-License-Identifier: MIT
import asyncio
import pathlib


async def app(scope, receive, send):
    """ASGI."""
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/slow":
        print("in flight", flush=True)
        await asyncio.to_thread(pathlib.Path("/srv/gate").read_bytes)
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"done"})
