"""An activity lives as long as its work advances, however silent a part of it is, and no longer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from flow_grpo.trainer import base_models, step, ticker, trainer
from flow_grpo.trainer.activities import TrainerActivities
from flow_grpo.trainer.checkpoints import RunArtifacts
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.ticker import Ticker
from tests.trainer.run import RUN_ID, Run

LIMIT_S = 60


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker, "BEAT_S", 0.01)


class Heartbeats:
    """An activity's environment, in which a heartbeat can be waited for."""

    def __init__(self) -> None:
        self.environment = ActivityEnvironment()
        self.environment.on_heartbeat = self._hear
        self._next = Event()

    def _hear(self, *_details: Any) -> None:
        self._next.set()

    def wait(self) -> None:
        """Return after two more heartbeats: the second has begun after the call."""
        for _ in range(2):
            self._next.clear()
            assert self._next.wait(LIMIT_S), "no heartbeat came"


@contextmanager
def silent(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, heartbeats: Heartbeats) -> Iterator[list[str]]:
    """A part of the work that says nothing until it was heard of all the same."""
    work: Callable[..., Any] = getattr(owner, name)
    met: list[str] = []

    def slow(*arguments: Any, **options: Any) -> Any:
        met.append(name)
        heartbeats.wait()
        return work(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, slow)
        yield met


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (base_models, "check_prefix_tree"),
        (Planner, "load"),
        (Planner, "place"),
        (step, "adamw_update"),
        (step, "gradient_norm"),
        (step, "tensors_sha256"),
        (step, "make_actions"),
        (trainer, "read_batch"),
        (trainer, "step_inputs"),
        (RunArtifacts, "newest_state"),
        (RunArtifacts, "write_policy"),
        (RunArtifacts, "write_checkpoint"),
    ],
)
def test_whatever_part_of_a_step_is_silent_the_activity_heartbeats(
    run: Run, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    """With one rank, on a trainer that has just started."""
    run.init(run.trainer())
    heartbeats, activities = Heartbeats(), TrainerActivities(run.trainer(), ())
    request = run.request(1, run.freeze(1)).model_dump()
    with silent(monkeypatch, owner, name, heartbeats) as met:
        result = heartbeats.environment.run(activities.train_step, request)
    assert met
    assert result["policy"]["name"] == f"{RUN_ID}@1"


def test_work_that_hangs_is_given_up_and_its_phase_told() -> None:
    found: list[str] = []
    stalled, beats = Event(), list[Any]()
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details[0])

    def give_up(phase: str, silence_s: float) -> None:
        assert silence_s > 0.05
        found.append(phase)
        stalled.set()

    def hang() -> None:
        with Ticker(stall_s=0.05, stalled=give_up) as progress:
            progress("gradient", 3, 7)
            assert stalled.wait(LIMIT_S)
            after = len(beats)
            # Nothing follows: Temporal gives the work to another attempt.
            progress._thread.join()
            assert len(beats) == after

    environment.run(hang)
    assert found == ["gradient"]
    assert beats[0] == {"phase": "gradient", "done": 3, "total": 7, "defects": 0, "ended": 0}


def test_work_that_advances_is_not_given_up_however_long_it_lasts() -> None:
    heartbeats = Heartbeats()

    def work() -> None:
        with Ticker(stall_s=LIMIT_S, stalled=lambda *_: pytest.fail("it advanced")) as progress:
            for _ in range(5):
                progress("gradient", 0, 1)
                heartbeats.wait()

    heartbeats.environment.run(work)


def test_a_cancellation_that_is_told_during_silent_work_arrives_when_it_advances_next() -> None:
    environment, told = ActivityEnvironment(), Event()
    calls = 0

    def cancel(*_details: Any) -> None:
        nonlocal calls
        calls += 1
        # The first is that of the phase, by the work itself.
        if calls > 1:
            told.set()
            raise CancelledError("cancelled")

    environment.on_heartbeat = cancel

    def work() -> None:
        with Ticker() as progress:
            progress("write", 0, 1)
            assert told.wait(LIMIT_S)
            progress._over.set()
            progress._thread.join()
            with pytest.raises(CancelledError):
                progress("write", 0, 1)

    environment.run(work)


def test_a_heartbeat_that_cannot_be_sent_ends_nothing() -> None:
    environment, failed = ActivityEnvironment(), Event()
    lost = [True] * 3

    def unreachable(*_details: Any) -> None:
        if lost:
            lost.pop()
            raise TimeoutError
        failed.set()

    environment.on_heartbeat = unreachable

    def work() -> None:
        with Ticker():
            assert failed.wait(LIMIT_S)

    environment.run(work)


def test_the_thread_ends_with_the_activity() -> None:
    tickers: list[Ticker] = []

    def work() -> None:
        with Ticker() as progress:
            tickers.append(progress)
            raise ValueError("the work failed")

    with pytest.raises(ValueError, match="the work failed"):
        ActivityEnvironment().run(work)
    assert not tickers[0]._thread.is_alive()
