"""The rows that the trainer reads and writes: batches, policies, checkpoints; of what uses policies it reads some.

The row (run, step) of `policies` is the commit of a step (I4): inserted once, whoever comes second reads the first's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

CONNECT_TIMEOUT_S = 5
# The server ends what waits longer: a statement, a wait for a lock, and the transaction of a process that was stopped
# in it. The activity fails and is retried.
SERVER_TIMEOUTS_MS = {"statement_timeout": 5_000, "lock_timeout": 2_000, "idle_in_transaction_session_timeout": 5_000}
# A network that swallows packets is noticed as soon.
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
FINISHED = ("completed", "failed", "cancelled")
# With it a trigger refuses a row of what was deleted (the migration NothingAfterRemoval).
REMOVED = "RM001"


class RunRemoved(Exception):
    """The run was deleted: nothing is written of it any more."""


@dataclass(frozen=True)
class PolicyRow:
    """A committed step."""

    uri: str
    sha256: str
    parent_sha256: str | None
    batch_sha256: str | None
    metrics: dict[str, float]


@dataclass(frozen=True)
class BatchRow:
    """A frozen batch."""

    uri: str
    sha256: str


class Records:
    """Short transactions on the project's database; each call connects anew, so a restarted server does no harm.

    What writes a row of a run that was deleted raises RunRemoved.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def policy(self, run_id: str, step: int) -> PolicyRow | None:
        """The committed policy of a step."""
        query = "SELECT uri, sha256, parent_sha256, batch_sha256, metrics FROM policies WHERE run_id = %s AND step = %s"
        with self._connect() as connection, connection.cursor(row_factory=class_row(PolicyRow)) as cursor:
            return cursor.execute(query, (run_id, step)).fetchone()

    def commit_policy(self, run_id: str, step: int, row: PolicyRow) -> PolicyRow:
        """Insert the row unless one is there; return the one that is there afterwards: the winner's."""
        query = """
            INSERT INTO policies (run_id, step, uri, sha256, parent_sha256, batch_sha256, metrics, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, now()) ON CONFLICT (run_id, step) DO NOTHING
        """
        values = (run_id, step, row.uri, row.sha256, row.parent_sha256, row.batch_sha256, Jsonb(row.metrics))
        with self._connect() as connection:
            connection.execute(query, values)
        winner = self.policy(run_id, step)
        if winner is None:
            raise RuntimeError(f"the row of step {step} of {run_id} vanished right after its commit")
        return winner

    def is_removed(self, run_id: str) -> bool:
        """Whether the run was deleted."""
        with self._connect() as connection:
            return connection.execute("SELECT 1 FROM removals WHERE id = %s", (run_id,)).fetchone() is not None

    def batch(self, run_id: str, step: int, sha256: str) -> BatchRow | None:
        """The frozen batch that a step was made from: a decision about the step may have made another since."""
        query = "SELECT uri, sha256 FROM batches WHERE run_id = %s AND step = %s AND sha256 = %s"
        with self._connect() as connection, connection.cursor(row_factory=class_row(BatchRow)) as cursor:
            return cursor.execute(query, (run_id, step, sha256)).fetchone()

    def record_checkpoint(self, run_id: str, step: int, uri: str, sha256: str, size: int) -> None:
        """Note that a checkpoint of `size` bytes exists (again)."""
        query = """
            INSERT INTO checkpoints (run_id, step, uri, sha256, bytes, created_at) VALUES (%s, %s, %s, %s, %s, now())
            ON CONFLICT (run_id, step) DO UPDATE
            SET uri = EXCLUDED.uri, sha256 = EXCLUDED.sha256, bytes = EXCLUDED.bytes, removed_at = NULL
        """
        with self._connect() as connection:
            connection.execute(query, (run_id, step, uri, sha256, size))

    def mark_checkpoints_removed(self, run_id: str, steps: Sequence[int]) -> None:
        """Note that checkpoints are about to be removed."""
        query = """
            UPDATE checkpoints SET removed_at = now() WHERE run_id = %s AND step = ANY(%s) AND removed_at IS NULL
        """
        with self._connect() as connection:
            connection.execute(query, (run_id, list(steps)))

    def mark_checkpoints_standing(self, run_id: str, steps: Sequence[int]) -> None:
        """Undo `mark_checkpoints_removed`, as far as it was said of them."""
        query = """
            UPDATE checkpoints SET removed_at = NULL WHERE run_id = %s AND step = ANY(%s) AND removed_at IS NOT NULL
        """
        with self._connect() as connection:
            connection.execute(query, (run_id, list(steps)))

    def newest_step(self, run_id: str) -> int | None:
        """The last committed step."""
        with self._connect() as connection:
            row = connection.execute("SELECT max(step) FROM policies WHERE run_id = %s", (run_id,)).fetchone()
        return row[0] if row else None

    def accuracies(self, run_id: str) -> dict[int, float]:
        """Held-out accuracy of the run's policies by step; of a step that was evaluated again the last."""
        query = """
            SELECT step, accuracy FROM evaluations WHERE run_id = %s AND planner = 'policy' ORDER BY created_at, id
        """
        with self._connect() as connection:
            return dict(connection.execute(query, (run_id,)).fetchall())

    def unfinished_configurations(self) -> list[Mapping[str, Any]]:
        """Configurations of all runs that may still need something."""
        query = "SELECT config FROM training_runs WHERE status <> ALL(%s)"
        with self._connect() as connection:
            return [config for (config,) in connection.execute(query, (list(FINISHED),)).fetchall()]

    def claimed_policies(self) -> list[str]:
        """Names of the policies that are pinned, or that unfinished questions, evaluations and exports use.

        Some stand in it more than once.
        """
        query = """
            SELECT policy_name FROM agent_flows WHERE policy_name IS NOT NULL AND finished_at IS NULL
            UNION ALL
            SELECT jsonb_array_elements_text(config -> 'policies') FROM benchmark_evaluations
            WHERE status <> ALL(%(finished)s)
            UNION ALL
            SELECT policy_name FROM policy_exports WHERE status <> ALL(%(finished)s)
            UNION ALL
            SELECT run_id || '@' || step FROM policy_pins
        """
        with self._connect() as connection:
            return [name for (name,) in connection.execute(query, {"finished": list(FINISHED)}).fetchall()]

    def await_claimants(self) -> None:
        """Wait until all transactions are over that have laid claim to a policy so far: then their rows can be read.

        Whoever lays claim later waits for a moment. Both statements are sent as one, so that this process, stopped or
        killed anywhere, leaves no lock. Raises LockNotAvailable when such a transaction lasts.
        """
        with connect(self._database_url, autocommit=True) as connection:
            connection.execute(
                "BEGIN; LOCK TABLE training_runs, agent_flows, benchmark_evaluations, policy_exports, policy_pins "
                "IN SHARE MODE; COMMIT"
            )

    def worker_seen(self, worker: str, identity: str) -> None:
        """Write that a trainer worker is there. One that counted as lost and goes on is there again."""
        query = """
            INSERT INTO workers (id, kind, identity) VALUES (%s, 'trainer', %s)
            ON CONFLICT (id) DO UPDATE SET seen_at = now()
        """
        with self._connect() as connection:
            connection.execute(query, (worker, identity))

    def worker_ends(self, worker: str) -> None:
        """A trainer worker ends in order: nobody misses it."""
        with self._connect() as connection:
            connection.execute("DELETE FROM workers WHERE id = %s", (worker,))

    def _connect(self) -> AbstractContextManager[psycopg.Connection]:
        return connect(self._database_url)


@contextmanager
def connect(database_url: str, autocommit: bool = False) -> Iterator[psycopg.Connection]:
    """One transaction on the project's database, in which nothing is waited for without end. Raises RunRemoved."""
    options = " ".join(f"-c {name}={value}" for name, value in SERVER_TIMEOUTS_MS.items())
    where = make_conninfo(database_url, connect_timeout=CONNECT_TIMEOUT_S, options=options, **KEEPALIVE)
    try:
        with psycopg.connect(where, autocommit=autocommit, application_name="agentflow-trainer") as connection:
            yield connection
    except psycopg.Error as error:
        if error.sqlstate == REMOVED:
            raise RunRemoved(str(error.diag.message_primary)) from None
        raise
