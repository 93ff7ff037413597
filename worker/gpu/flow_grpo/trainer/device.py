"""One activity of a process works at a time, whichever task queue it came from.

The others wait in order of arrival. They heartbeat while they do, so that none times out, and can be cancelled. The
waiting is done on the event loop, where no cancellation interrupts a thread between taking the device and its release,
and where no work could stall: so it has no need of a ticker (ticker.py).
"""

import asyncio
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from flow_grpo.trainer.tries import beat

WAIT_S = 1.0


class OneAtATime(Interceptor):
    """Give the same object to every Worker of the process."""

    def __init__(self) -> None:
        self._device = asyncio.Lock()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Called by the Worker for each activity."""
        return _Turn(next, self._device)


class _Turn(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, device: asyncio.Lock) -> None:
        super().__init__(next)
        self._device = device

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Wait for the device, run the activity, give the device back. Raises CancelledError if cancelled before."""
        await self._take_device()
        try:
            return await self.next.execute_activity(input)
        finally:
            self._device.release()

    async def _take_device(self) -> None:
        taking = asyncio.create_task(self._device.acquire())
        try:
            while not (await asyncio.wait([taking], timeout=WAIT_S))[0]:
                # The activity is a function in a thread: nothing but this tells the loop that it is cancelled.
                if activity.is_cancelled():
                    raise CancelledError("cancelled while it waited for the device")
                beat("waiting for the device", 0, 1)
        except BaseException:
            if not taking.cancel():
                self._device.release()
            raise
