"""Steps as trackers see them: once each, and never at the cost of a step."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from accelerate.tracking import GeneralTracker
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from flow_grpo.environment import BadEnvironment
from flow_grpo.trainer import tracking as tracking_module
from flow_grpo.trainer.contract import TrainStepResult
from flow_grpo.trainer.settings import read_settings
from flow_grpo.trainer.trackers import Kind
from flow_grpo.trainer.tracking import Tracking
from flow_grpo.trainer.trainer import Trainer
from tests.trainer.run import RUN_ID, WORKER, Run, no_progress

ENVIRONMENT = {"DATABASE_URL": "postgres://h/d", "AGENTFLOW_ARTIFACTS": "file:///a", "AGENTFLOW_MODELS_CACHE": "/m"}


class Fake(GeneralTracker):
    """A tracker of the test's making."""

    name = "fake"
    requires_logging_directory = False
    tracker = None

    def __init__(self, run_id: str, log: Callable[[int], None]) -> None:
        super().__init__()
        self.run_id = run_id
        self._log = log
        self.finished = False

    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        """Called by the reporter's thread."""
        self._log(step or 0)

    def finish(self) -> None:
        """Called when another run needs the place, or at the end."""
        self.finished = True


Faking = Callable[..., list[Fake]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Faking:
    """Make a tracker that can be named `fake`; returns those that are opened."""

    def make(log: Callable[[int], None], at_once: int = 1) -> list[Fake]:
        opened: list[Fake] = []

        def open_fake(run_id: str, _directory: Path) -> GeneralTracker:
            opened.append(Fake(run_id, log))
            return opened[-1]

        monkeypatch.setattr(tracking_module, "KINDS", {"fake": Kind("sys", open_fake, at_once)})
        return opened

    return make


def scalars(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard finds in a run's directory: (step, value) by name."""
    events = EventAccumulator(str(directory))
    events.Reload()
    return {name: [(e.step, e.value) for e in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_tensorboard_shows_each_step_of_a_run_once(run: Run, tmp_path: Path) -> None:
    """A step that is asked for again, or replayed, is not reported again."""
    tracking, results = Tracking(["tensorboard"], tmp_path / "trackers"), list[TrainStepResult]()

    def trainer() -> Trainer:
        return Trainer(run.stores(), WORKER, 1, tracking.report)

    first = trainer()
    run.init(first)
    for step in (1, 2, 3):
        results.append(run.step(first, step, save=False))
    assert run.step(first, 3).recovered_from == "committed"
    cold = run.step(trainer(), 4, save=False)
    tracking.close()
    assert cold.recovered_from != "memory"
    found = scalars(tmp_path / "trackers" / RUN_ID)
    assert set(found) == set(cold.metrics)
    assert [step for step, _ in found["gradient_norm"]] == [1, 2, 3, 4]
    assert [value for _, value in found["gradient_norm"]] == pytest.approx(
        [result.metrics["gradient_norm"] for result in [*results, cold]]
    )


def test_of_two_workers_that_make_a_step_only_the_one_that_commits_it_reports_it(run: Run) -> None:
    run.train(run.trainer(), 1)
    request, told = run.request(2, run.freeze(2)), list[str]()

    def trainer(name: str) -> Trainer:
        return Trainer(run.stores(), name, 1, lambda *_: told.append(name))

    def overtaken(phase: str, _done: int, _total: int) -> None:
        if phase == "write" and not told:
            trainer("fast").train_step(request, no_progress)

    trainer("late").train_step(request, overtaken)
    assert told == ["fast"]


def test_a_tracker_that_fails_is_logged_once_and_tried_again(
    fake: Faking, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []

    def log(step: int) -> None:
        if step in (1, 2, 3, 5):
            raise ConnectionError("no answer from https://user:geheim@tracker/")
        seen.append(step)

    opened = fake(log)
    tracking = Tracking(["fake"], tmp_path)
    for step in range(1, 7):
        tracking.report("run", step, {"loss": 1.0})
    tracking.close()
    assert seen == [4, 6]
    assert [record.getMessage() for record in caplog.records] == [
        f"fake did not take step {step} of run (ConnectionError: no answer from https://***@tracker/)"
        for step in (1, 5)
    ]
    assert all(one.finished for one in opened)


def test_a_tracker_that_hangs_holds_nothing_up(fake: Faking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking_module, "CLOSE_S", 0.2)
    monkeypatch.setattr(tracking_module, "WAITING", 2)
    go_on = threading.Event()
    fake(lambda _step: go_on.wait(60))
    tracking, started = Tracking(["fake"], tmp_path), time.monotonic()
    for step in range(100):
        tracking.report("run", step, {})
    tracking.close()
    assert time.monotonic() - started < 10
    go_on.set()


def test_runs_in_turns_share_a_tracker_that_takes_one_at_a_time(fake: Faking, tmp_path: Path) -> None:
    open_at_once: list[int] = []
    opened = fake(lambda _step: open_at_once.append(sum(not one.finished for one in opened)))
    tracking = Tracking(["fake"], tmp_path)
    for run_id in ("a", "b", "a"):
        tracking.report(run_id, 1, {})
    tracking.close()
    assert [one.run_id for one in opened] == ["a", "b", "a"]
    assert open_at_once == [1, 1, 1]


def test_trackers_are_read_from_the_environment(tmp_path: Path) -> None:
    assert read_settings(ENVIRONMENT).trackers == ()
    assert read_settings({**ENVIRONMENT, "AGENTFLOW_TRACKERS": ""}).trackers == ()
    settings = read_settings(
        {**ENVIRONMENT, "AGENTFLOW_TRACKERS": "tensorboard, tensorboard", "AGENTFLOW_TRACKERS_DIR": str(tmp_path)}
    )
    assert (settings.trackers, settings.trackers_directory) == (("tensorboard",), tmp_path)


def test_a_tracker_that_is_unknown_not_installed_or_without_a_directory_is_an_error_at_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    for value, message in [
        ("tensorbord", "AGENTFLOW_TRACKERS: .*tensorbord: known are tensorboard, wandb, mlflow"),
        ("wandb", "AGENTFLOW_TRACKERS: .*not installed: wandb; run `uv pip install .* wandb`"),
        ("tensorboard", "AGENTFLOW_TRACKERS: .*needs AGENTFLOW_TRACKERS_DIR"),
    ]:
        with pytest.raises(BadEnvironment, match=message):
            read_settings({**ENVIRONMENT, "AGENTFLOW_TRACKERS": value})
