"""asyncio: the loop runs the handler, and a task is ended by cancelling it."""
# SPDX-License-Identifier: MIT
import asyncio
import signal


async def work():
    """Finishes what it does when it is cancelled."""
    print("ready", flush=True)
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await asyncio.sleep(0.3)  # what is still to be written
        print("work finished", flush=True)
        raise


async def main():
    """Until SIGTERM or SIGINT."""
    task = asyncio.create_task(work())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        print("cleaned up", flush=True)


asyncio.run(main())
