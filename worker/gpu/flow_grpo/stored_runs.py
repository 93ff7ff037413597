"""What the database says about runs: read by what looks at runs from outside, `verify` and `export`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from flow_grpo.trainer.records import BatchRow, PolicyRow, connect


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint of `size` bytes."""

    uri: str
    sha256: str
    size: int


class StoredRuns:
    """Short read-only transactions on the project's database."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def ids(self) -> list[str]:
        """All runs of which a policy was committed."""
        with connect(self._database_url) as connection:
            rows = connection.execute("SELECT DISTINCT run_id FROM policies ORDER BY run_id").fetchall()
        return [run_id for (run_id,) in rows]

    def configuration(self, run_id: str) -> Mapping[str, Any] | None:
        """The configuration that a run was submitted with, every default filled in."""
        with connect(self._database_url) as connection:
            row = connection.execute("SELECT config FROM training_runs WHERE id = %s", (run_id,)).fetchone()
        return row[0] if row else None

    def policies(self, run_id: str) -> dict[int, PolicyRow]:
        """The committed policies by step, ascending."""
        query = """
            SELECT step, uri, sha256, parent_sha256, batch_sha256, metrics FROM policies WHERE run_id = %s ORDER BY step
        """
        with connect(self._database_url) as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query, (run_id,)).fetchall()
        return {row.pop("step"): PolicyRow(**row) for row in rows}

    def batches(self, run_id: str) -> list[tuple[int, BatchRow]]:
        """The frozen batches with their steps, those that a decision replaced included."""
        query = "SELECT step, uri, sha256 FROM batches WHERE run_id = %s ORDER BY step, revision"
        with connect(self._database_url) as connection:
            rows = connection.execute(query, (run_id,)).fetchall()
        return [(step, BatchRow(uri, sha256)) for step, uri, sha256 in rows]

    def checkpoints(self, run_id: str) -> dict[int, CheckpointRow]:
        """The checkpoints that were not removed, by step, ascending."""
        query = """
            SELECT step, uri, sha256, bytes FROM checkpoints WHERE run_id = %s AND removed_at IS NULL ORDER BY step
        """
        with connect(self._database_url) as connection:
            rows = connection.execute(query, (run_id,)).fetchall()
        return {step: CheckpointRow(uri, sha256, size) for step, uri, sha256, size in rows}

    def evaluations(self, run_id: str) -> list[dict[str, Any]]:
        """What the run's evaluations found, by step: planner, step, questions, accuracy and its 95 % interval."""
        query = """
            SELECT step, planner, questions, accuracy, interval_low, interval_high FROM evaluations WHERE run_id = %s
            ORDER BY step, planner, created_at, id
        """
        with connect(self._database_url) as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, (run_id,)).fetchall()
