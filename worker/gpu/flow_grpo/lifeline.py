"""What tells the supervisor of a local stack that this process is alive: a byte a second on a file descriptor."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

LIFELINE_VARIABLE = "AGENTFLOW_LIFELINE"
BEAT_S = 1.0


@asynccontextmanager
async def held_lifeline() -> AsyncIterator[None]:
    """Beat meanwhile, if there is a supervisor.

    A beat comes from the event loop, so it stops when the loop stops; work in other threads, however long, does not
    stop it. When the supervisor has gone this process gets SIGTERM: nobody would restart it or stop it any more.
    """
    descriptor = os.environ.pop(LIFELINE_VARIABLE, None)
    if descriptor is None:
        yield
        return
    beating = asyncio.create_task(_beat(int(descriptor)))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(descriptor: int) -> None:
    os.set_blocking(descriptor, False)
    os.set_inheritable(descriptor, False)
    while True:
        try:
            # A supervisor that reads nothing is stopped or busy: this process does not wait for it.
            with suppress(BlockingIOError):
                os.write(descriptor, b".")
        except OSError:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        await asyncio.sleep(BEAT_S)
