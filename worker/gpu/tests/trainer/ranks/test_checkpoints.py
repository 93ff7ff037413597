"""A checkpoint does not know how many ranks made it: any number goes on from it. A replay needs the same number."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flow_grpo.trainer.recovery import StateUnavailable
from flow_grpo.trainer.trainer import Trainer
from tests.trainer.again import remove_checkpoints
from tests.trainer.run import WORKER, Run, no_progress


@pytest.fixture
def two_ranks(run: Run) -> Iterator[Trainer]:
    """A trainer of two ranks that holds the state of one run at a time: the other's is recovered."""
    trainer = Trainer(run.stores(), WORKER, 1, ranks=2)
    yield trainer
    trainer.close()


def described(run: Run, step: int) -> tuple[list[str], dict[str, Any]]:
    """The files of a checkpoint, and what its manifest says of more than its own step."""
    directory = run.directory / "checkpoints" / f"{step:06d}"
    manifest = json.loads((directory / "manifest.json").read_text())
    own = ("step", "policy_name", "policy_sha256", "parent_sha256", "batch_sha256", "computed_with", "files")
    return sorted(path.name for path in directory.iterdir()), {k: manifest[k] for k in manifest if k not in own}


def ranks_of(run: Run, step: int) -> int:
    """How many ranks made a checkpoint, as its manifest says."""
    manifest = json.loads((run.directory / "checkpoints" / f"{step:06d}" / "manifest.json").read_text())
    return manifest["computed_with"]["ranks"]


def test_checkpoints_pass_between_numbers_of_ranks_and_replays_do_not(
    run: Run, two_ranks: Trainer, tmp_path: Path
) -> None:
    """I4, I5, I8."""
    run.train(two_ranks, 2)
    remove_checkpoints(run, but=[0])
    another = Run(tmp_path, run.database_url, run.models_cache, "run-2")
    another.init(two_ranks)
    # Two steps are replayed by two ranks, and compared with what they committed.
    assert run.step(two_ranks, 3).recovered_from == "replay"
    assert run.step(run.trainer(), 4).recovered_from == "checkpoint"
    assert run.step(two_ranks, 5).recovered_from == "checkpoint"
    assert described(run, 3) == described(run, 4) == described(run, 5)
    assert [ranks_of(run, step) for step in (3, 4, 5)] == [2, 1, 2]

    another.init(two_ranks)
    remove_checkpoints(run, but=[3])
    request = run.request(6, run.freeze(6))
    with pytest.raises(StateUnavailable, match="step 4 of run-1 was made with AGENTFLOW_TRAINER_RANKS=1"):
        two_ranks.train_step(request, no_progress)
    with pytest.raises(StateUnavailable, match="step 5 of run-1 was made with AGENTFLOW_TRAINER_RANKS=2"):
        run.trainer().train_step(request, no_progress)
