"""Verifies one run: what the database says must stand, and what stands must be what the database says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flow_grpo.artifacts import ArtifactOutsideStore, file_uri, path_in_store
from flow_grpo.failures import Failure
from flow_grpo.policy import policy_directory
from flow_grpo.stored_runs import CheckpointRow, StoredRuns
from flow_grpo.trainer.batch import read_batch
from flow_grpo.trainer.checkpoints import OPTIMISER_TENSORS, checkpoint_directory, standing_steps
from flow_grpo.trainer.collection import read_facts
from flow_grpo.trainer.contract import Keep
from flow_grpo.trainer.records import BatchRow, PolicyRow, Records
from flow_grpo.verify.directories import directory_problems
from flow_grpo.verify.report import Problem, Report

NO_RETENTION = Keep(last=2, best=0, every=0)
"""Of a run that has no row: what every run keeps."""


@dataclass(frozen=True)
class Rows:
    """What the database says of a run."""

    run_id: str
    policies: dict[int, PolicyRow]
    checkpoints: dict[int, CheckpointRow]
    batches: list[tuple[int, BatchRow]]
    needed: set[int]
    """Steps whose policies must stand: others may have been collected."""


def verify_run(root: Path, database_url: str, run_id: str) -> Report:
    """Verify all that stands of a run in the artifact store at `root`.

    A run may go on meanwhile: what is wrong counts only if it is still so when looked at again with fresh rows.
    """
    report = _look(root, _read_rows(database_url, run_id))
    if not report.problems:
        return report
    again = _look(root, _read_rows(database_url, run_id))
    lasting = tuple(problem for problem in again.problems if problem in report.problems)
    return Report(again.runs, again.policies, again.checkpoints, again.batches, lasting)


def _read_rows(database_url: str, run_id: str) -> Rows:
    stored = StoredRuns(database_url)
    facts = read_facts(Records(database_url), run_id)
    configuration = stored.configuration(run_id)
    keep = Keep.model_validate(configuration["checkpoint"]["keep"]) if configuration else NO_RETENTION
    checkpoints = stored.checkpoints(run_id)
    needed = facts.needed(facts.kept(checkpoints, keep), keep)
    return Rows(run_id, stored.policies(run_id), checkpoints, stored.batches(run_id), needed)


def _look(root: Path, rows: Rows) -> Report:
    run = root / "runs" / rows.run_id
    standing = set(standing_steps(run / "policies"))
    problems = [
        *_policy_problems(root, rows, standing),
        *_checkpoint_problems(root, rows),
        *_batch_problems(root, rows),
        *_stray_problems("policies", standing, rows),
        *_stray_problems("checkpoints", set(standing_steps(run / "checkpoints")), rows),
    ]
    found = tuple(Problem(rows.run_id, artifact, problem) for artifact, problem in problems)
    seen = len(standing & rows.policies.keys())
    return Report(1, seen, len(rows.checkpoints), len(rows.batches), found)


def _policy_problems(root: Path, rows: Rows, standing: set[int]) -> Iterator[tuple[str, str]]:
    frozen = {(step, row.sha256) for step, row in rows.batches}
    for step, row in rows.policies.items():
        artifact = f"policies/{step:06d}"
        parent = rows.policies.get(step - 1)
        if step > 0 and (parent is None or parent.sha256 != row.parent_sha256):
            yield artifact, f"its row is a child of {row.parent_sha256}, which is not the policy before it"
        if step > 0 and (step, row.batch_sha256) not in frozen:
            yield artifact, f"its row names batch {row.batch_sha256}, which has no row"
        if step not in standing and step not in rows.needed:
            continue
        for problem in _directory(policy_directory(root, rows.run_id, step), rows, step, row.uri):
            yield artifact, problem


def _checkpoint_problems(root: Path, rows: Rows) -> Iterator[tuple[str, str]]:
    for step, row in rows.checkpoints.items():
        artifact, directory = f"checkpoints/{step:06d}", checkpoint_directory(root, rows.run_id, step)
        committed = rows.policies.get(step)
        if committed is None:
            # Written before its commit: a step is being taken, or was when its worker died.
            continue
        if committed.sha256 != row.sha256:
            yield artifact, f"its row has sha256 {row.sha256}, the policy's {committed.sha256}"
        for problem in _directory(directory, rows, step, row.uri):
            yield artifact, problem
        if directory.exists() and not (directory / OPTIMISER_TENSORS).exists():
            yield artifact, f"it has no {OPTIMISER_TENSORS}"


def _directory(directory: Path, rows: Rows, step: int, uri: str) -> Iterator[str]:
    row = rows.policies[step]
    claims = {
        "run_id": rows.run_id,
        "step": step,
        "policy_sha256": row.sha256,
        "parent_sha256": row.parent_sha256,
        "batch_sha256": row.batch_sha256,
    }
    if uri != file_uri(directory):
        yield f"its row says {uri}, where this store has {file_uri(directory)}"
    yield from directory_problems(directory, claims)


def _batch_problems(root: Path, rows: Rows) -> Iterator[tuple[str, str]]:
    for step, row in rows.batches:
        artifact = f"batches/{step:06d} ({row.sha256[:12]})"
        try:
            metadata = read_batch(path_in_store(root, row.uri), row.sha256).metadata
        except (Failure, ArtifactOutsideStore) as error:
            yield artifact, str(error)
            continue
        if (metadata.run_id, metadata.step) != (rows.run_id, step):
            yield artifact, f"it was frozen for step {metadata.step} of {metadata.run_id}"


def _stray_problems(kind: str, standing: set[int], rows: Rows) -> Iterator[tuple[str, str]]:
    """Directories that belong to no commit, but for that of the step that may be under way."""
    under_way = max(rows.policies, default=-1) + 1
    for step in sorted(standing - rows.policies.keys() - {under_way}):
        yield f"{kind}/{step:06d}", "it stands, but the step was never committed"
