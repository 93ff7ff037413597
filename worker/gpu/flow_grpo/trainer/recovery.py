"""Bring back the state after a step: the newest whole checkpoint, then replay of the frozen batches.

Batches are the log, checkpoints are the snapshots. No rollout is generated again, and every replayed policy is
compared with its committed sha256.
"""

import logging
import time
from dataclasses import replace
from pathlib import Path

from flow_grpo.artifacts import ArtifactOutsideStore, directory_bytes, file_uri, path_in_store
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.batch import Batch, check_batch, read_batch
from flow_grpo.trainer.checkpoints import Origin, RunArtifacts
from flow_grpo.trainer.collection import Collector
from flow_grpo.trainer.computation import Computation
from flow_grpo.trainer.contract import Keep
from flow_grpo.trainer.records import PolicyRow, Records
from flow_grpo.trainer.reference import reference_tensors
from flow_grpo.trainer.state import TrainerState
from flow_grpo.trainer.step import Progress, StepInputs

log = logging.getLogger(__name__)


class StateUnavailable(Exception):
    """Something that recovery needs is not there. Retried a few times; then the run pauses until it is brought back."""


class Recovery:
    """Recovers states of one run."""

    def __init__(self, artifacts: RunArtifacts, records: Records, checkpoint_seconds: float) -> None:
        """`checkpoint_seconds`: a replay writes a checkpoint when the last is older, so that repeated kills advance."""
        self._artifacts = artifacts
        self._records = records
        self._checkpoint_seconds = checkpoint_seconds

    def snapshot(self, step: int) -> TrainerState:
        """The newest whole checkpoint <= step, else state 0. Raises StateUnavailable when policy 0 is lost too."""
        found = self._artifacts.newest_state(step, self._is_committed) or self._artifacts.initial_state()
        if found is None:
            raise StateUnavailable(
                f"{self._artifacts.run_id} has neither a whole checkpoint nor a whole policy 0 in the artifact store; "
                "restore them from a copy"
            )
        return found

    def replay(
        self, computation: Computation, state: TrainerState, step: int, keep: Keep, progress: Progress
    ) -> TrainerState:
        """Replay the frozen batches from `state` up to the state after `step`.

        Raises ReplayDiverged when a replayed policy is not the committed one, StateUnavailable for a step that was made
        by another number of ranks.
        """
        first = state.step
        written = time.monotonic()
        for n in range(first + 1, step + 1):
            phase = f"replay {n - first} of {step - first}: "
            row = self._committed(n)
            self._check_ranks(n, row, computation.count)

            def replaying(p: str, k: int, total: int, phase: str = phase) -> None:
                progress(phase + p, k, total)

            inputs = self._frozen_inputs(n, state.sha256, row, replaying)
            origin = Origin(state.sha256, inputs.batch.sha256)
            state, _ = computation.take_step(self._artifacts.identity.model, state, inputs, replaying)
            self._compare_with_commit(state, row)
            if time.monotonic() - written >= self._checkpoint_seconds:
                progress(phase + "checkpoint", 0, 1)
                self.save_again(state, origin)
                Collector(self._artifacts, self._records).collect(keep, progress)
                written = time.monotonic()
        return state

    def save_checkpoint(self, state: TrainerState, origin: Origin) -> None:
        """Write a checkpoint of a committed step and its row."""
        self._artifacts.write_checkpoint(state, origin)
        self.record_checkpoint(state.step, state.sha256)

    def record_checkpoint(self, step: int, sha256: str) -> None:
        """Write the row of a checkpoint that stands."""
        directory = self._artifacts.checkpoint(step)
        self._records.record_checkpoint(
            self._artifacts.run_id, step, file_uri(directory), sha256, directory_bytes(directory)
        )

    def save_again(self, state: TrainerState, origin: Origin) -> None:
        """Write a checkpoint of a committed step, and its policy, which may have been collected since."""
        self._artifacts.write_policy(state, origin)
        self.save_checkpoint(state, origin)

    def _is_committed(self, step: int, sha256: str) -> bool:
        row = self._records.policy(self._artifacts.run_id, step)
        return row is not None and row.sha256 == sha256

    def _committed(self, step: int) -> PolicyRow:
        row = self._records.policy(self._artifacts.run_id, step)
        if row is None:
            raise StateUnavailable(f"the committed row of step {step} of {self._artifacts.run_id} is missing")
        return row

    def _check_ranks(self, step: int, row: PolicyRow, ranks: int) -> None:
        theirs = int(row.metrics.get("ranks", 1))
        if theirs != ranks:
            raise StateUnavailable(
                f"step {step} of {self._artifacts.run_id} was made with AGENTFLOW_TRAINER_RANKS={theirs}, and {ranks} "
                "would round differently: a trainer with as many must replay it; from a checkpoint any number goes on"
            )

    def _frozen_inputs(self, step: int, parent_sha256: str, committed: PolicyRow, progress: Progress) -> StepInputs:
        run_id, identity = self._artifacts.run_id, self._artifacts.identity
        row = self._records.batch(run_id, step, committed.batch_sha256 or "")
        if row is None:
            raise Failure(FailureType.BatchInvalid, f"step {step} of {run_id} cannot be replayed: no batch is recorded")
        batch = read_batch(batch_path(self._artifacts.root, row.uri), row.sha256)
        check_batch(batch, run_id, step, parent_sha256, identity.model, identity.parts)
        inputs = step_inputs(self._artifacts, batch, progress)
        return replace(inputs, micro_batch_tokens=int(committed.metrics["micro_batch_tokens"]), committed=True)

    def _compare_with_commit(self, state: TrainerState, row: PolicyRow) -> None:
        if row.sha256 != state.sha256:
            raise Failure(
                FailureType.ReplayDiverged,
                f"replay of step {state.step} of {self._artifacts.run_id} gave policy {state.sha256}, committed is "
                f"{row.sha256}: this machine's arithmetic differs, or a file was altered",
                step=state.step,
            )


def step_inputs(artifacts: RunArtifacts, batch: Batch, progress: Progress) -> StepInputs:
    """A batch with what it refers to. Raises as reference_tensors does."""
    policy, weights = batch.metadata.reference, batch.metadata.training.weights
    if policy is None:
        return StepInputs(batch)
    progress("read reference policy", 0, 1)
    return StepInputs(batch, reference_tensors(artifacts, weights, policy))


def batch_path(root: Path, uri: str) -> Path:
    """The path of a batch. Raises BatchInvalid when the URI leaves the artifact store."""
    try:
        return path_in_store(root, uri)
    except ArtifactOutsideStore as error:
        raise Failure(FailureType.BatchInvalid, str(error)) from None
