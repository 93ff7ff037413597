"""What a trainer process holds between the steps of several runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from flow_grpo.trainer.held_states import HeldStates
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.state import TrainerState, initial_state
from tests.trainer.run import Run, no_progress
from tests.trainer.samples import LORA


def state(run_id: str, step: int = 1) -> TrainerState:
    """A state with an empty adapter."""
    return replace(initial_state(run_id, Lora.model_validate(LORA), {}), step=step)


def take(held: HeldStates, wanted: TrainerState) -> TrainerState | None:
    return held.take(wanted.run_id, wanted.step, wanted.sha256)


@pytest.fixture
def other(run: Run, tmp_path: Path) -> Run:
    """A second run on the same trainers."""
    return Run(tmp_path, run.database_url, run.models_cache, "run-2")


def test_the_least_recently_used_state_goes_first() -> None:
    held, (a, b, c) = HeldStates(2), (state("a"), state("b"), state("c"))
    held.put(a)
    held.put(b)
    held.put(a)
    held.put(c)
    assert take(held, a) is a
    assert take(held, b) is None


def test_a_state_is_out_of_memory_while_its_step_is_made() -> None:
    """I4."""
    held, a = HeldStates(2), state("a")
    held.put(a)
    assert take(held, a) is a
    assert take(held, a) is None


def test_a_state_of_another_step_or_policy_is_not_given_and_not_kept() -> None:
    held, a = HeldStates(2), state("a")
    for wrong in (replace(a, step=2), replace(a, sha256="f" * 64)):
        held.put(a)
        assert take(held, wrong) is None
        assert take(held, a) is None


def test_the_state_that_is_taken_out_counts() -> None:
    held, a, b = HeldStates(1), state("a"), state("b")
    held.put(a)
    assert take(held, b) is None
    assert take(held, a) is None


def test_two_runs_take_turns_without_a_cold_load(run: Run, other: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = Planner.load
    monkeypatch.setattr(Planner, "load", lambda *arguments: loads.append(arguments[1]) or load(*arguments))
    trainer = run.trainer()
    run.init(trainer)
    other.init(trainer)
    found = [which.step(trainer, step).recovered_from for step in (1, 2) for which in (run, other)]
    assert found == ["memory"] * 4
    assert len(loads) == 1
    assert run.policies == other.policies


def test_with_room_for_one_run_the_other_is_recovered(run: Run, other: Run) -> None:
    trainer = run.trainer(runs=1)
    run.init(trainer)
    other.init(trainer)
    assert other.step(trainer, 1).recovered_from == "memory"
    assert run.step(trainer, 1).recovered_from == "checkpoint"
    assert other.step(trainer, 2).recovered_from == "checkpoint"
    assert run.policies[1] == other.policies[1]


def test_an_exception_drops_the_state_of_its_run_alone(run: Run, other: Run) -> None:
    trainer = run.trainer()
    run.train(trainer, 1)
    other.train(trainer, 1)

    def killed(_phase: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train_step(run.request(2, run.freeze(2)), killed)
    assert other.step(trainer, 2).recovered_from == "memory"
    assert trainer.train_step(run.request(2, run.freeze(2)), no_progress).recovered_from == "checkpoint"
