"""Trainer workers on a real Temporal server: one step at a time, and runs that stay where their state is."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from flow_grpo.artifacts import file_uri
from flow_grpo.trainer.activities import TrainerActivities
from flow_grpo.trainer.worker import SHARED_QUEUE, trainer_workers
from tests.trainer.run import Run
from tests.trainer.temporal import CallOptions, call, start_call, temporal

GPU_WORKER = Path(__file__).parents[2]
OWN_QUEUE = "trainer/1"
STEPS = 4


class Held(TrainerActivities):
    """Works on a call until the test lets go of it."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.begun: list[str] = []

    def all(self) -> list[Callable[..., Any]]:
        """What the worker registers."""

        @activity.defn(name="hold")
        def hold(payload: dict[str, Any]) -> dict[str, Any]:
            self.begun.append(payload["name"])
            while not self.let_go.wait(0.1):
                activity.heartbeat()
            return payload

        return [hold]


def hold(name: str, queue: str) -> CallOptions:
    """A call that is lost when it is silent for two seconds."""
    return CallOptions("hold", {"name": name}, queue, attempts=1, heartbeat_s=2)


def test_one_activity_works_at_a_time_and_the_others_wait_without_timing_out() -> None:
    async def scenario(client: Client, held: Held) -> None:
        first = await start_call(client, hold("first", SHARED_QUEUE))
        await until(lambda: held.begun == ["first"])
        second = await start_call(client, hold("second", OWN_QUEUE))
        third = await start_call(client, hold("third", OWN_QUEUE))
        # Longer than their heartbeat timeout.
        await asyncio.sleep(3.5)
        assert held.begun == ["first"]
        await third.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(third.result(), 10)
        assert isinstance(caught.value.cause, CancelledError)
        assert held.begun == ["first"]
        held.let_go.set()
        assert [(await one.result())["name"] for one in (first, second)] == ["first", "second"]
        assert held.begun == ["first", "second"]

    asyncio.run(with_held(scenario))


async def with_held(scenario: Callable[[Client, Held], Any]) -> None:
    held = Held()
    async with temporal() as client, AsyncExitStack() as running:
        executor = running.enter_context(ThreadPoolExecutor(max_workers=5))
        for worker in trainer_workers(client, held, {SHARED_QUEUE: 1, OWN_QUEUE: 4}, executor):
            await running.enter_async_context(worker)
        try:
            await scenario(client, held)
        finally:
            held.let_go.set()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.05)


class TrainerProcess:
    """A trainer worker as the stack starts it."""

    def __init__(self, run: Run, address: str, log: Path) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": run.database_url,
            "AGENTFLOW_ARTIFACTS": file_uri(run.root),
            "AGENTFLOW_MODELS_CACHE": str(run.models_cache),
            "AGENTFLOW_OPERATOR_FILE": str(run.operator_file),
            "AGENTFLOW_MISMATCH_LIMIT": "1e9",  # the log-probs of the fixtures are made up
            "TEMPORAL_ADDRESS": address,
            "OMP_NUM_THREADS": str(torch.get_num_threads()),
        }
        self._log = log
        with log.open("w") as output:
            command = [sys.executable, "-m", "flow_grpo.trainer"]
            self.process = subprocess.Popen(command, cwd=GPU_WORKER, env=environment, stdout=output, stderr=output)

    async def queue(self) -> str:
        """Its own task queue, as soon as it polls it."""
        async with asyncio.timeout(300):
            while True:
                found = re.search(r"polling task queues trainer, (trainer/\w+),", self._log.read_text())
                if found:
                    return found.group(1)
                assert self.process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class StickyRun:
    """Plays workflows/trainer.ts for a run."""

    def __init__(self, client: Client, run: Run) -> None:
        self._client = client
        self._run = run
        self.holder: str | None = None

    async def init(self) -> None:
        made = await self._call("initPolicy", self._run.init_request().model_dump())
        self._run.policies[0] = made["policy"]["sha256"]

    async def step(self, step: int) -> str:
        """Take a step; returns how its worker came to the state before it."""
        trained = await self._call("trainStep", self._run.request(step, self._run.freeze(step)).model_dump())
        self._run.policies[step] = trained["policy"]["sha256"]
        return trained["recovered_from"]

    async def steps(self, first: int, last: int) -> list[str]:
        return [await self.step(step) for step in range(first, last + 1)]

    async def _call(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        result = None
        if self.holder is not None:
            with suppress(WorkflowFailureError):
                result = await call(self._client, CallOptions(name, payload, self.holder, attempts=1, start_s=6))
        result = result or await call(self._client, CallOptions(name, payload, SHARED_QUEUE))
        self.holder = result["worker"]
        return result


@contextmanager
def two_trainers(run: Run, address: str, directory: Path) -> Iterator[list[TrainerProcess]]:
    trainers = [TrainerProcess(run, address, directory / f"trainer-{n}.log") for n in range(2)]
    try:
        yield trainers
    finally:
        for trainer in trainers:
            trainer.kill()


def test_runs_stay_where_their_state_is_and_move_when_their_worker_is_killed(run: Run, tmp_path: Path) -> None:
    undisturbed, other = (Run(tmp_path, run.database_url, run.models_cache, name) for name in ("reference", "run-2"))
    undisturbed.train(undisturbed.trainer(), 2 * STEPS)

    async def scenario() -> None:
        async with temporal() as client:
            with two_trainers(run, client.service_client.config.target_host, tmp_path) as trainers:
                queues = [await trainer.queue() for trainer in trainers]
                runs = [StickyRun(client, run), StickyRun(client, other)]
                await asyncio.gather(*(one.init() for one in runs))
                found = await asyncio.gather(*(one.steps(1, STEPS) for one in runs))
                assert found == [["memory"] * STEPS] * 2

                lost = queues.index(runs[0].holder or "")
                trainers[lost].kill()
                moved = await runs[0].steps(STEPS + 1, 2 * STEPS)
                assert moved == ["checkpoint"] + ["memory"] * (STEPS - 1)
                assert runs[0].holder == queues[1 - lost]

    asyncio.run(scenario())
    assert run.policies == undisturbed.policies
    assert run.optimiser_bytes(2 * STEPS) == undisturbed.optimiser_bytes(2 * STEPS)
    assert other.policies.items() <= undisturbed.policies.items()
