"""I14: calls of a trainer on a real Temporal server: outages are retried without limit, defects are not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import ActivityEnvironment

from flow_grpo.trainer import tries
from flow_grpo.trainer.activities import TrainerActivities, told_failures
from flow_grpo.trainer.ranks.attendance import RankLost, RankOutOfMemory
from flow_grpo.trainer.recovery import StateUnavailable
from flow_grpo.trainer.tries import DEFECTS, LOST, beat
from flow_grpo.trainer.worker import SHARED_QUEUE, trainer_workers
from tests.trainer.temporal import CallOptions, call, temporal

Attempt = Callable[[int], None]


class Behaving(TrainerActivities):
    """Calls that end as the test wants, by the number of the attempt."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(None, ("hunter2",))  # pyright: ignore[reportArgumentType]
        self.attempt = attempt
        self.attempts = 0

    def all(self) -> list[Callable[..., Any]]:
        """What the worker registers."""

        @activity.defn(name="work")
        def work(payload: dict[str, Any]) -> dict[str, Any]:
            with told_failures(self._secrets):
                self.attempts += 1
                self.attempt(self.attempts)
            return payload

        return [work]


def failure_of(attempt: Attempt, heartbeat_s: float = 5) -> tuple[ApplicationError, int]:
    """How the call ends, and after how many attempts."""
    activities = Behaving(attempt)

    async def scenario() -> ApplicationError:
        async with temporal() as client, AsyncExitStack() as running:
            executor = running.enter_context(ThreadPoolExecutor(max_workers=50))
            for worker in trainer_workers(client, activities, {SHARED_QUEUE: 50}, executor):
                await running.enter_async_context(worker)
            with pytest.raises(WorkflowFailureError) as caught:
                await call(client, CallOptions("work", {}, SHARED_QUEUE, heartbeat_s=heartbeat_s))
            assert isinstance(caught.value.cause, ActivityError)
            assert isinstance(caught.value.cause.cause, ApplicationError)
            return caught.value.cause.cause

    return asyncio.run(scenario()), activities.attempts


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_FIRST_DELAY_S", 0.01)


def test_outages_use_up_no_attempt_of_a_defect() -> None:
    outages = 4

    def attempt(number: int) -> None:
        raise ConnectionRefusedError("no") if number <= outages else TypeError("x is None, password=hunter2")

    failure, attempts = failure_of(attempt)
    assert (failure.type, failure.non_retryable) == ("Defect", True)
    assert (
        failure.message
        == f"work failed {DEFECTS} times by itself, not for an outage: TypeError: x is None, password=***"
    )
    assert attempts == outages + DEFECTS


def test_a_policy_that_is_lost_says_so() -> None:
    def attempt(_: int) -> None:
        raise StateUnavailable("policy 0 of run-a is lost")

    failure, attempts = failure_of(attempt)
    assert (failure.type, attempts) == ("PolicyUnusable", DEFECTS)


def judged(error: BaseException | None, attempt: int, left: dict[str, Any] | None = None) -> tuple[Any, list[Any]]:
    """What one attempt ends with, and its heartbeats."""
    environment, beats = ActivityEnvironment(), list[Any]()
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    details = [] if left is None else [left]
    environment.info = replace(environment.info, attempt=attempt, heartbeat_details=details)

    def work(_: int) -> None:
        if error:
            raise error

    [activity_of] = Behaving(work).all()
    try:
        return environment.run(activity_of, {}), beats
    except ApplicationError as failure:
        return failure, beats


def test_attempts_that_are_lost_in_a_row_end_the_call() -> None:
    failure, _ = judged(None, LOST + 4, {"phase": "gradient", "done": 1, "total": 9, "defects": 0, "ended": 3})
    assert (failure.type, failure.non_retryable) == ("Defect", True)
    assert failure.message.startswith(f"{LOST} attempts in a row were lost")


def test_one_that_ended_by_itself_begins_the_count_anew() -> None:
    result, beats = judged(None, LOST + 4, {"defects": 2, "ended": 4})
    assert result == {}
    assert beats == [{"defects": 2, "ended": 4}]


def test_a_lost_rank_counts_as_a_lost_attempt() -> None:
    failure, beats = judged(RankLost("rank 1 ended"), 3, {"defects": 1, "ended": 1})
    assert not failure.non_retryable
    assert beats == [{"defects": 1, "ended": 1}]


def test_memory_that_runs_out_is_a_defect() -> None:
    failure, beats = judged(RankOutOfMemory("rank 1"), 3, {"defects": DEFECTS - 1, "ended": 2})
    assert failure.type == "Defect"
    assert beats[-1] == {"defects": DEFECTS, "ended": 3}


def test_a_worker_before_this_version_left_no_count_and_lost_nothing() -> None:
    failure, beats = judged(ConnectionResetError(), 500)
    assert not failure.non_retryable
    assert beats == [{"defects": 0, "ended": 499}, {"defects": 0, "ended": 500}]


def test_progress_carries_the_count_on() -> None:
    environment, beats = ActivityEnvironment(), list[Any]()
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    environment.info = replace(environment.info, attempt=6, heartbeat_details=[{"defects": 2, "ended": 4}])
    environment.run(lambda: beat("gradient", 1, 2))
    assert beats == [{"phase": "gradient", "done": 1, "total": 2, "defects": 2, "ended": 4}]
