"""The activity exportPolicy: each export is made by a process of its own.

It needs no state of a run and no GPU, but minutes, and memory for a whole model in fp32. On the trainer's queues it
would wait for gradient steps, and they for it (device.py): it has a queue and a slot of its own. In a thread beside a
step it would not be safe: loading a model with transformers changes settings of torch that hold for the whole process,
for example the default dtype. And what its memory is too small for is to end it, never a step.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from temporalio import activity
from temporalio.client import Client

from flow_grpo.export.job import export_files, files_of, remove_leftovers
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.activities import told_failures
from flow_grpo.trainer.contract import ExportedFile, ExportPolicyRequest, ExportPolicyResult, parse_request
from flow_grpo.trainer.outage import is_outage
from flow_grpo.trainer.settings import Settings
from flow_grpo.trainer.step import Progress
from flow_grpo.trainer.ticker import Ticker

WAKE_S = 0.5
# The signal `exportBegun` of contracts/messages.ts.
BEGUN = "exportBegun"
SIGNAL_TIMEOUT = timedelta(seconds=10)

_SPAWN = multiprocessing.get_context("spawn")


class ExportProcessLost(Exception):
    """The process of an export ended without a word: it was killed, perhaps for its memory."""


class ExportOutage(ConnectionError):
    """The process of an export met an outage."""


class ExportDefect(Exception):
    """The process of an export failed by itself."""


@dataclass(frozen=True)
class Refusal:
    """Why there are no files."""

    message: str
    type: FailureType | None
    """Of the closed list."""
    outage: bool

    def error(self) -> Exception:
        """As the activity raises it."""
        if self.type:
            return Failure(self.type, self.message)
        return ExportOutage(self.message) if self.outage else ExportDefect(self.message)


class ExportActivities:
    """Translates between Temporal and the processes that export."""

    def __init__(self, settings: Settings, secrets: Sequence[str], begun: Callable[[], None]) -> None:
        """`secrets`: strings that no failure message may contain. `begun`: tells that the current call is at work."""
        self._settings = settings
        self._secrets = secrets
        self._begun = begun

    @activity.defn(name="exportPolicy")
    def export_policy(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Write the files of a policy into the artifact store, where they do not stand."""
        with told_failures(self._secrets), Ticker() as progress:
            request = parse_request(ExportPolicyRequest, payload)
            self._begun()
            return ExportPolicyResult(files=export_apart(self._settings, request, progress)).model_dump()

    def all(self) -> list[Callable[..., Any]]:
        """What the worker registers."""
        return [self.export_policy]


def tell_workflow(client: Client) -> Callable[[], None]:
    """Tells the workflow of the current call that its export has begun: until then it waits for this queue's one slot.

    Call this where the client's event loop runs; what it returns belongs to other threads, and raises RPCError.
    """
    loop = asyncio.get_running_loop()

    def tell() -> None:
        info = activity.info()
        handle = client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        asyncio.run_coroutine_threadsafe(handle.signal(BEGUN, rpc_timeout=SIGNAL_TIMEOUT), loop).result()

    return tell


def export_apart(settings: Settings, request: ExportPolicyRequest, progress: Progress) -> list[ExportedFile]:
    """Export in a process of its own, which does not outlive this call. Raises what `progress` raises, too."""
    here, there = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_work, args=(there, settings, request), daemon=True)
    process.start()
    there.close()
    try:
        while not here.poll(WAKE_S):
            progress("export", 0, 1)
        made: list[ExportedFile] | Refusal = here.recv()
    except EOFError:
        process.join()
        raise ExportProcessLost(f"the process of {request.export_id} ended with code {process.exitcode}") from None
    finally:
        process.kill()
        process.join()
        here.close()
        # Nobody comes after an attempt that was cancelled.
        remove_leftovers(files_of(settings, request), process.pid)
    if isinstance(made, Refusal):
        raise made.error()
    return made


def _work(told: Connection, settings: Settings, request: ExportPolicyRequest) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        told.send(export_files(settings, request))
    except Failure as error:
        told.send(Refusal(str(error), error.type, outage=False))
    except Exception as error:
        told.send(Refusal(f"{type(error).__name__}: {error}", None, is_outage(error)))


def _end_with_parent() -> None:
    """Another attempt begins when the trainer is gone: this one is not to write beside it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
