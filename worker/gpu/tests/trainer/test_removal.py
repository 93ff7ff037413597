"""A trainer that goes on after its run was deleted: nothing is committed, and none of its files stays."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from temporalio.exceptions import CancelledError

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.contract import TrainStepResult
from flow_grpo.trainer.records import PolicyRow, RunRemoved
from flow_grpo.trainer.step import Progress
from flow_grpo.trainer.trainer import Trainer
from tests.trainer.rows import remove, submit
from tests.trainer.run import Run, no_progress

Zombie = Callable[[Trainer, Progress], Any]


def left(run: Run) -> list[Any]:
    """What there is of the run: files and rows."""
    rows = [
        *run.execute("SELECT 'policies' FROM policies WHERE run_id = %s", (run.run_id,)),
        *run.execute("SELECT 'checkpoints' FROM checkpoints WHERE run_id = %s", (run.run_id,)),
    ]
    return [*rows, *run.root.rglob(f"*{run.run_id}*")]


class Removing:
    """Progress during which the run is deleted, at the n-th call; then it may be told so, as by a heartbeat."""

    def __init__(self, run: Run, at: int, *, told: bool = False) -> None:
        self._run, self._left, self._told = run, at, told
        self.done = False

    def __call__(self, _phase: str, _done: int, _total: int) -> None:
        self._left -= 1
        if self._left == 0:
            remove(self._run)
            self.done = True
        if self.done and self._told:
            raise CancelledError("the workflow is gone")


def refused(run: Run, zombie: Zombie, progress: Progress) -> Failure:
    """How the call of a trainer that has just started fails."""
    with pytest.raises(Failure, match=f"{run.run_id} was deleted") as caught:
        zombie(run.trainer(), progress)
    return caught.value


class Restored:
    """A run that was trained once, again as it was then: with its files and its rows."""

    TABLES = ("batches", "policies", "checkpoints")

    def __init__(self, run: Run, copy: Path) -> None:
        self._run, self._copy = run, copy
        shutil.copytree(run.directory, copy)
        self._rows = {
            table: run.execute(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(table)))
            for table in self.TABLES
        }

    def restore(self) -> None:
        """Undo a deletion."""
        run = self._run
        run.execute("DELETE FROM removals")
        submit(run, run.run_id, {"training": {}}, "cancelled")
        shutil.copytree(self._copy, run.directory)
        for table, rows in self._rows.items():
            insert = "INSERT INTO {0} SELECT * FROM jsonb_populate_record(NULL::{0}, %s)"
            for (row,) in rows:
                run.execute(sql.SQL(insert).format(sql.Identifier(table)), (Jsonb(row),))


@pytest.mark.parametrize("told", [False, True])
def test_a_step_whose_run_is_deleted_at_any_point_of_it_leaves_nothing(run: Run, tmp_path: Path, told: bool) -> None:
    submit(run, run.run_id, {"training": {}}, "cancelled")
    run.train(run.trainer(), 1)
    request = run.request(2, run.freeze(2))
    trained = Restored(run, tmp_path / "trained")

    def zombie(trainer: Trainer, progress: Progress) -> TrainStepResult:
        return trainer.train_step(request, progress)

    phases: list[str] = []
    zombie(run.trainer(), lambda phase, *_: phases.append(phase))
    assert phases.count("write") == 3
    for at, phase in enumerate(phases, 1):
        # Of what writes no files, the first call of each.
        if phase not in ("write", "collect") and phase in phases[: at - 1]:
            continue
        remove(run)
        trained.restore()
        removing = Removing(run, at, told=told)
        assert refused(run, zombie, removing).type is FailureType.NotFound
        assert removing.done
        assert left(run) == []
        trained.restore()


@pytest.mark.parametrize("call", ["initPolicy", "saveCheckpoint", "ensurePolicy"])
def test_no_other_call_leaves_anything_either(run: Run, call: str) -> None:
    submit(run, run.run_id, {"training": {}}, "cancelled")
    run.train(run.trainer(), 1)
    committed = run.checkpoint_request(1)
    zombies: dict[str, Zombie] = {
        "initPolicy": lambda t, progress: t.init_policy(run.init_request(), progress),
        "saveCheckpoint": lambda t, progress: t.save_checkpoint(committed, progress),
        "ensurePolicy": lambda t, progress: t.ensure_policy(committed, progress),
    }
    for kind in ("policies", "checkpoints"):
        shutil.rmtree(run.directory / kind / "000001")
    begun: list[str] = []

    def removing(phase: str, _done: int, _total: int) -> None:
        if phase == "write" and not begun:
            begun.append(phase)
            remove(run)

    assert refused(run, zombies[call], removing).type is FailureType.NotFound
    assert left(run) == []


def test_the_rows_of_a_run_that_was_deleted_are_refused_by_the_database(run: Run) -> None:
    """In the transaction that would write them."""
    submit(run, run.run_id, {"training": {}}, "cancelled")
    run.init(run.trainer())
    remove(run)
    records = run.stores().records
    with pytest.raises(RunRemoved, match=f"{run.run_id} was deleted: nothing is written of it any more"):
        records.commit_policy(run.run_id, 1, PolicyRow("file:///x", "a" * 64, None, None, {}))
    with pytest.raises(RunRemoved):
        records.record_checkpoint(run.run_id, 1, "file:///x", "a" * 64, 1)


def test_a_database_that_is_down_hides_no_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.train(run.trainer(), 1)
    request = run.request(2, {"uri": run.freeze(2)["uri"], "sha256": "f" * 64})
    trainer = run.trainer()

    def down(_run_id: str) -> bool:
        raise psycopg.OperationalError("the server closed the connection")

    monkeypatch.setattr(trainer._stores.records, "is_removed", down)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(Failure) as caught:
        trainer.train_step(request, no_progress)
    assert caught.value.type is FailureType.BatchInvalid
