"""A Temporal server for tests, and the part of the workflow that calls a trainer."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

REPOSITORY = Path(__file__).parents[4]
CALLS_QUEUE = "calls"


@dataclass(frozen=True)
class CallOptions:
    """What is asked of a trainer, where, and how patiently."""

    activity: str
    payload: dict[str, Any]
    queue: str
    attempts: int = 0
    """0: without limit."""
    start_s: float | None = None
    """How long it may wait for a worker; None for ever."""
    heartbeat_s: float = 5


@workflow.defn(sandboxed=False)
class Call:
    """One activity call, with the options that workflows/calls.ts gives it."""

    def __init__(self) -> None:
        self._begun = 0

    @workflow.signal(name="exportBegun")
    def export_begun(self) -> None:
        """What a trainer says of an export (contracts/messages.ts)."""
        self._begun += 1

    @workflow.query
    def begun(self) -> int:
        """How often it was said."""
        return self._begun

    @workflow.run
    async def run(self, options: CallOptions) -> dict[str, Any]:
        """Returns the activity's result."""
        return await workflow.execute_activity(
            options.activity,
            options.payload,
            task_queue=options.queue,
            start_to_close_timeout=timedelta(minutes=1),
            schedule_to_start_timeout=None if options.start_s is None else timedelta(seconds=options.start_s),
            heartbeat_timeout=timedelta(seconds=options.heartbeat_s),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=0.2), maximum_attempts=options.attempts),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@asynccontextmanager
async def temporal() -> AsyncIterator[Client]:
    """A client of a server of its own, with somebody who runs `Call`."""
    binary = Path(os.environ.get("AGENTFLOW_CACHE", REPOSITORY / ".cache")) / "bin" / "temporal"
    async with (
        await WorkflowEnvironment.start_local(dev_server_existing_path=str(binary)) as environment,
        Worker(environment.client, task_queue=CALLS_QUEUE, workflows=[Call]),
    ):
        yield environment.client


async def start_call(client: Client, options: CallOptions) -> WorkflowHandle[Any, dict[str, Any]]:
    """Start a call; the handle's result is the activity's."""
    return await client.start_workflow(Call.run, options, id=uuid4().hex, task_queue=CALLS_QUEUE)


async def call(client: Client, options: CallOptions) -> dict[str, Any]:
    """Make a call and wait for its result. Raises WorkflowFailureError."""
    return await (await start_call(client, options)).result()
