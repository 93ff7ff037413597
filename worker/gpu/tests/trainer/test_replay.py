"""I5 for the trainer alone: frozen batches in, the same bytes out, wherever it starts and whatever kills it."""

import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from flow_grpo.trainer.contract import TrainStepRequest
from tests.trainer.again import remove_checkpoints, step_in_process, uncommit
from tests.trainer.kills import KillAfter, Killed
from tests.trainer.run import KEEP, Run, no_progress
from tests.trainer.samples import training

STEPS = 5
KEEP_ALL = {**KEEP, "last": 100}
KILLS = 50
REAL_KILLS = 6


def one_update(_step: int) -> dict[str, Any]:
    """Hyper-parameters of a run that changes nothing on the way."""
    return {}


def several_updates(step: int) -> dict[str, Any]:
    """Four updates a step in two passes, and a learning rate that was changed in the middle."""
    return {"epochs": 2, "mini_batches": 2, "learning_rate": 1e-2 if step < 3 else 3e-3}


class Undisturbed:
    """A run of STEPS steps with all of its checkpoints, and what became of it."""

    def __init__(self, run: Run, hyper: Any) -> None:
        self.run = run
        trainer = run.trainer()
        run.init(trainer)
        self.requests: dict[int, TrainStepRequest] = {}
        for step in range(1, STEPS + 1):
            batch = run.freeze(step, training=training(**hyper(step)).model_dump())
            self.requests[step] = run.request(step, batch, checkpoint={"save": True, "keep": KEEP_ALL})
            run.policies[step] = trainer.train_step(self.requests[step], no_progress).policy.sha256
        self._copy = run.directory.parent.parent.parent / "undisturbed"
        shutil.copytree(run.directory / "checkpoints", self._copy)

    def begin_anew(self) -> None:
        """Leave policy 0, without a checkpoint, and the batches."""
        uncommit(self.run, 1)
        remove_checkpoints(self.run, but=[])

    def leave(self, checkpoint: int | None, before: int) -> None:
        """Leave the commits before a step, and one checkpoint or none."""
        uncommit(self.run, before)
        remove_checkpoints(self.run, but=[])
        if checkpoint is not None:
            name = f"{checkpoint:06d}"
            shutil.copytree(self._copy / name, self.run.directory / "checkpoints" / name)

    def assert_equal(self, step: int) -> None:
        """The checkpoint of a step is the undisturbed run's: adapter, optimiser and manifest, to the byte."""
        made, expected = self.run.directory / "checkpoints" / f"{step:06d}", self._copy / f"{step:06d}"
        assert files(made) == files(expected)


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(params=[one_update, several_updates])
def undisturbed(run: Run, request: pytest.FixtureRequest) -> Undisturbed:
    """An undisturbed run."""
    return Undisturbed(run, request.param)


@pytest.fixture
def long_steps(run: Run) -> Undisturbed:
    """An undisturbed run with several updates in each step."""
    return Undisturbed(run, several_updates)


def test_a_cold_trainer_makes_any_step_from_any_checkpoint_or_none(undisturbed: Undisturbed) -> None:
    """I5."""
    for step in range(STEPS, 0, -1):
        for checkpoint in (None, *range(step)):
            undisturbed.leave(checkpoint, before=step)
            result = undisturbed.run.trainer().train_step(undisturbed.requests[step], no_progress)
            assert result.policy.sha256 == undisturbed.run.policies[step], (step, checkpoint)
            undisturbed.assert_equal(step)


def test_fifty_kills_in_a_row_change_nothing(long_steps: Undisturbed) -> None:
    """I5. Every life is a cold start; replays write checkpoints, steps write none."""
    run, rng = long_steps.run, random.Random(7)
    long_steps.begin_anew()
    kills = [rng.randint(1, STEPS) for _ in range(KILLS)]
    for step in range(1, STEPS + 1):
        batch = long_steps.requests[step].batch.model_dump()
        request = run.request(step, batch, checkpoint={"save": step == STEPS, "keep": KEEP_ALL})
        for _ in range(kills.count(step)):
            with pytest.raises(Killed):
                run.trainer(replay_checkpoint_seconds=0).train_step(request, KillAfter(rng.randint(1, 25)))
        result = run.trainer(replay_checkpoint_seconds=0).train_step(request, no_progress)
        assert result.policy.sha256 == run.policies[step]
    long_steps.assert_equal(STEPS)


def test_processes_that_are_killed_change_nothing(long_steps: Undisturbed) -> None:
    """I5, with SIGKILL."""
    run, rng = long_steps.run, random.Random(8)
    stores = run.stores(replay_checkpoint_seconds=0)
    threads = torch.get_num_threads()
    long_steps.leave(0, before=STEPS)
    lasts = [rng.randint(1, 20) for _ in range(REAL_KILLS)]
    results = [
        step_in_process(stores, long_steps.requests[STEPS], lambda n, last=last: n >= last, threads) for last in lasts
    ]
    # Later ones have less to replay, and may be done before the signal arrives.
    assert results[0] is None
    result = step_in_process(stores, long_steps.requests[STEPS], lambda _: False, threads)
    assert result is not None
    assert result.policy.sha256 == run.policies[STEPS]
    long_steps.assert_equal(STEPS)


def test_a_replay_that_was_killed_twice_starts_later_the_third_time(long_steps: Undisturbed) -> None:
    run, replayed = long_steps.run, list[int]()
    long_steps.leave(None, before=STEPS)

    def killed_in_the_second(phase: str, _done: int, _total: int) -> None:
        if phase.startswith("replay 2"):
            raise Killed

    for _ in range(3):
        phases: list[str] = []

        def progress(phase: str, done: int, total: int, phases: list[str] = phases) -> None:
            phases.append(phase)
            killed_in_the_second(phase, done, total)

        with pytest.raises(Killed):
            run.trainer(replay_checkpoint_seconds=0).train_step(long_steps.requests[STEPS], progress)
        replayed += [int(found[1]) for found in [re.match(r"replay 1 of (\d+)", phase) for phase in phases] if found][
            :1
        ]
    assert replayed == [4, 3, 2]
