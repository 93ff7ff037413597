"""The trainer of one process: makes policies, takes steps, and holds the state between them.

In-memory state carries (run, step, sha256). It is taken out of memory before a step begins and put back only after the
commit, so an exception anywhere drops it (I4) and the next attempt recovers from what is on disk.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TypeVar

import psycopg

from flow_grpo.artifacts import file_uri
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.batch import Policy, check_batch, read_batch
from flow_grpo.trainer.checkpoints import ComputedWith, Identity, Origin, RunArtifacts, remove_run
from flow_grpo.trainer.collection import Collector
from flow_grpo.trainer.computation import Computation
from flow_grpo.trainer.contract import (
    CommittedStepRequest,
    EnsurePolicyResult,
    InitPolicyRequest,
    InitPolicyResult,
    Keep,
    RecoveredFrom,
    SaveCheckpointResult,
    StartPolicy,
    TrainStepRequest,
    TrainStepResult,
)
from flow_grpo.trainer.fork import forked_from, forked_state
from flow_grpo.trainer.held_states import HeldStates
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.mismatch import DEFAULT_MISMATCH_LIMIT, Mismatch
from flow_grpo.trainer.rank import Rank
from flow_grpo.trainer.ranks.team import Team
from flow_grpo.trainer.records import PolicyRow, Records
from flow_grpo.trainer.recovery import Recovery, batch_path, step_inputs
from flow_grpo.trainer.reference import find_reference
from flow_grpo.trainer.state import TrainerState, initial_state
from flow_grpo.trainer.step import Progress, StepInputs

log = logging.getLogger(__name__)

Request = InitPolicyRequest | TrainStepRequest | CommittedStepRequest


@dataclass(frozen=True)
class Stores:
    """Where a trainer finds things."""

    artifacts: Path
    """Root directory of the artifact store."""
    models_cache: Path
    operator_file: Path
    records: Records
    replay_checkpoint_seconds: float
    mismatch_limit: float = DEFAULT_MISMATCH_LIMIT
    """See Mismatch."""


Report = Callable[[str, int, Mapping[str, float]], None]
"""Takes a committed step: the run's id, the step's number and its metrics. Returns at once and raises nothing."""


def _to_nobody(_run_id: str, _step: int, _metrics: Mapping[str, float]) -> None:
    """The report of a trainer without trackers."""


R = TypeVar("R", bound=Request)
T = TypeVar("T")
Call = Callable[["Trainer", R, Progress], T]


def _unless_removed(call: Call[R, T]) -> Call[R, T]:
    """The call of a trainer; where its run was deleted, at the latest when it ends, it leaves no file of the run.

    It raises NotFound then.
    """

    @wraps(call)
    def checked(trainer: "Trainer", request: R, progress: Progress) -> T:
        try:
            result = call(trainer, request, progress)
        except Exception:
            # A run that is deleted under a call makes it fail in many ways.
            trainer.forget_if_removed(request.run_id)
            raise
        trainer.forget_if_removed(request.run_id)
        return result

    return checked


class Trainer:
    """Not thread-safe: one call at a time."""

    def __init__(self, stores: Stores, worker: str, runs: int, report: Report = _to_nobody, ranks: int = 1) -> None:
        """`worker`: the task queue on which this process, and no other, is reached. `runs`: how many are held.

        `report`: told of every step that this process commits. `ranks`: how many processes make a step together.
        """
        self._stores = stores
        self._models = BaseModels(stores.operator_file, stores.models_cache)
        self._worker = worker
        self._report = report
        self._states = HeldStates(runs)
        self._mismatch = Mismatch(stores.mismatch_limit)
        self._computation: Computation = Team(self._models, runs, ranks) if ranks > 1 else Rank(self._models, runs)

    @_unless_removed
    def init_policy(self, request: InitPolicyRequest, progress: Progress) -> InitPolicyResult:
        """Make and commit policy 0, from the seed or as a copy of another run's: a repeated call gives the same.

        Raises as forked_state and find_reference do, before a model is loaded for a run that can never begin.
        """
        artifacts = self._run_artifacts(request, progress)
        self._states.drop(request.run_id)
        if request.reference:
            progress("read reference policy", 0, 1)
            find_reference(artifacts, request.weights, request.reference)
        state = self._state_zero(artifacts, request, progress)
        origin = Origin(None, None, forked_from(request.start) if request.start else None)
        winner = self._save_and_commit(artifacts, state, origin, {}, checkpoint=True, progress=progress)
        self._states.put(state)
        policy = Policy(name=state.policy_name, sha256=winner.sha256)
        return InitPolicyResult(policy=policy, uri=winner.uri, worker=self._worker)

    @_unless_removed
    def train_step(self, request: TrainStepRequest, progress: Progress) -> TrainStepResult:
        """Take one step and commit it, or return the committed one. Idempotent, and safe beside other workers.

        Raises SamplerMismatch, before anything is written, when the batch was sampled from other weights than train.
        """
        artifacts = self._run_artifacts(request, progress)
        row = self._stores.records.policy(request.run_id, request.step)
        if row is not None:
            return self._committed(artifacts, request, row, progress)
        batch = read_batch(batch_path(artifacts.root, request.batch.uri), request.batch.sha256)
        check_batch(batch, request.run_id, request.step, request.parent_sha256, request.model, request.identity)
        before, how = self._take_state(
            artifacts, request, request.step - 1, request.parent_sha256, request.checkpoint.keep, progress
        )
        origin = Origin(before.sha256, batch.sha256)
        inputs = self._as_before(artifacts, request.step, origin, step_inputs(artifacts, batch, progress))
        state, metrics = self._computation.take_step(request.model, before, inputs, progress)
        self._mismatch.check(request.step, batch.metadata.policy.name, metrics)
        origin = replace(origin, computed_with=_computed_with(metrics))
        winner = self._save_and_commit(
            artifacts, state, origin, metrics, checkpoint=request.checkpoint.save, progress=progress
        )
        self._states.put(state)
        # Metrics hold the time that the step took: another worker's commit of the same step has others.
        if winner.metrics == metrics:
            self._report(request.run_id, request.step, metrics)
        self._tidy(artifacts, request.step, request.checkpoint.keep, progress)
        log.info(
            "%s: policy %s from %s, reward %.3f", state.policy_name, state.sha256[:12], how, metrics["reward_mean"]
        )
        return self._result(request, winner, how)

    @_unless_removed
    def save_checkpoint(self, request: CommittedStepRequest, progress: Progress) -> SaveCheckpointResult:
        """Save the state after a committed step unless its checkpoint is whole already: after a cancel or a stop."""
        artifacts = self._run_artifacts(request, progress)
        self._make_up_checkpoint(artifacts, request, self._required_row(request), progress)
        return SaveCheckpointResult(uri=file_uri(artifacts.checkpoint(request.step)))

    @_unless_removed
    def ensure_policy(self, request: CommittedStepRequest, progress: Progress) -> EnsurePolicyResult:
        """Have a committed policy stand: as it is, put back, or made again from a snapshot and the frozen batches.

        Raises NotFound for one that is not committed, ReplayDiverged when it comes out as another, StateUnavailable
        when what it would be made from is lost too. Of step 0 initPolicy makes it again, from the run's seed.
        """
        artifacts, row = self._run_artifacts(request, progress), self._required_row(request)
        rebuilt = self._have_policy(artifacts, request, row, request.keep, progress)
        return EnsurePolicyResult(uri=file_uri(artifacts.policy(request.step)), worker=self._worker, rebuilt=rebuilt)

    def forget_if_removed(self, run_id: str) -> None:
        """Raise NotFound for a run that was deleted, and remove what was written for it since."""
        try:
            removed = self._stores.records.is_removed(run_id)
        except psycopg.Error:
            # Its deletion looks once more, a day later.
            return
        if removed:
            self._states.drop(run_id)
            remove_run(self._stores.artifacts, run_id)
            raise Failure(FailureType.NotFound, f"{run_id} was deleted: nothing of it is kept") from None

    def close(self) -> None:
        """End what runs beside this process for it."""
        self._computation.close()

    def _run_artifacts(self, request: Request, progress: Progress) -> RunArtifacts:
        identity = Identity(request.model, request.identity, self._models.identity(request.model, progress))
        return RunArtifacts(self._stores.artifacts, request.run_id, identity)

    def _recovery(self, artifacts: RunArtifacts) -> Recovery:
        return Recovery(artifacts, self._stores.records, self._stores.replay_checkpoint_seconds)

    def _required_row(self, request: CommittedStepRequest) -> PolicyRow:
        row = self._stores.records.policy(request.run_id, request.step)
        if row is None or row.sha256 != request.sha256:
            raise Failure(
                FailureType.NotFound,
                f"step {request.step} of {request.run_id} with policy {request.sha256} is not committed",
            )
        return row

    def _committed(
        self, artifacts: RunArtifacts, request: TrainStepRequest, row: PolicyRow, progress: Progress
    ) -> TrainStepResult:
        """The committed step, with the files of it that are needed."""
        _check_same_step(request, row)
        keep, collector = request.checkpoint.keep, Collector(artifacts, self._stores.records)
        collector.finish(keep, progress)
        needs = collector.needs(request.step, keep)
        if needs.policy:
            self._have_policy(artifacts, request, row, keep, progress)
        if request.checkpoint.save and needs.checkpoint:
            self._make_up_checkpoint(artifacts, _checkpoint_request(request, row), row, progress)
        return self._result(request, row, "committed")

    def _have_policy(
        self,
        artifacts: RunArtifacts,
        request: TrainStepRequest | CommittedStepRequest,
        row: PolicyRow,
        keep: Keep,
        progress: Progress,
    ) -> bool:
        """Have the policy of a committed step stand; returns whether it had to be made again."""
        if artifacts.recall(artifacts.policy(request.step), row.sha256):
            return False
        state, _ = self._take_state(artifacts, request, request.step, row.sha256, keep, progress)
        progress("write", 0, 1)
        artifacts.write_policy(state, Origin(row.parent_sha256, row.batch_sha256))
        self._states.put(state)
        return True

    def _as_before(self, artifacts: RunArtifacts, step: int, origin: Origin, inputs: StepInputs) -> StepInputs:
        """The inputs as an attempt took them that died between its files and its commit: then its files may stay."""
        before = artifacts.unfinished(step, origin)
        if before is None or before.ranks != self._computation.count:
            return inputs
        return replace(inputs, micro_batch_tokens=before.micro_batch_tokens)

    def _state_zero(self, artifacts: RunArtifacts, request: InitPolicyRequest, progress: Progress) -> TrainerState:
        progress("policy 0", 0, 2)
        start, weights = request.start, request.weights
        copy = self._copied_state(artifacts, weights, start) if start else None
        progress("policy 0", 1, 2)
        planner = self._computation.planner(request.model, weights, request.dtype, progress)
        if copy is None:
            return initial_state(request.run_id, weights, planner.initial_tensors(request.seed))
        planner.check_tensors(copy.tensors)
        return copy

    def _copied_state(self, artifacts: RunArtifacts, weights: Weights, start: StartPolicy) -> TrainerState:
        if self._stores.records.policy(artifacts.run_id, 0) is not None:
            # The parent may be gone by now.
            return self._recovery(artifacts).snapshot(0)
        return forked_state(artifacts, weights, start)

    def _take_state(
        self, artifacts: RunArtifacts, request: Request, step: int, sha256: str, keep: Keep, progress: Progress
    ) -> tuple[TrainerState, RecoveredFrom]:
        """The state after `step`, out of memory or recovered. Memory has none of the run afterwards (I4)."""
        held = self._states.take(request.run_id, step, sha256)
        if held is not None:
            return held, "memory"
        progress("load checkpoint", 0, 1)
        recovery = self._recovery(artifacts)
        snapshot = recovery.snapshot(step)
        log.info("%s@%d: recovering from the state after step %d", request.run_id, step, snapshot.step)
        state = recovery.replay(self._computation, snapshot, step, keep, progress)
        if state.sha256 != sha256:
            raise Failure(
                FailureType.ReplayDiverged,
                f"recovery of step {step} of {request.run_id} gave policy {state.sha256}, expected {sha256}",
                step=step,
            )
        return state, "checkpoint" if snapshot.step == step else "replay"

    def _save_and_commit(
        self,
        artifacts: RunArtifacts,
        state: TrainerState,
        origin: Origin,
        metrics: dict[str, float],
        *,
        checkpoint: bool,
        progress: Progress,
    ) -> PolicyRow:
        """Write what the step made, then commit its row. Raises StepDiverged when another sha256 was committed."""
        records, run_id, step = self._stores.records, state.run_id, state.step
        committed = records.policy(run_id, step)
        _check_not_diverged(state, committed)
        if committed is not None:
            # Another worker's files, however they were computed, are those of the commit.
            origin = replace(origin, computed_with=None)
        progress("write", 0, 3)
        directory = artifacts.write_policy(state, origin)
        progress("write", 1, 3)
        if checkpoint:
            artifacts.write_checkpoint(state, origin)
        progress("write", 2, 3)
        row = PolicyRow(file_uri(directory), state.sha256, origin.parent_sha256, origin.batch_sha256, metrics)
        winner = records.commit_policy(run_id, step, row)
        if winner.sha256 != state.sha256:
            artifacts.give_way(step, winner.sha256)
        _check_not_diverged(state, winner)
        if not artifacts.stands(directory, state.sha256):
            # An attempt with other bits has moved it aside, before it could see the row.
            artifacts.recall(directory, state.sha256)
            artifacts.write_policy(state, origin)
        if checkpoint:
            self._recovery(artifacts).record_checkpoint(step, state.sha256)
        return winner

    def _make_up_checkpoint(
        self, artifacts: RunArtifacts, request: CommittedStepRequest, row: PolicyRow, progress: Progress
    ) -> None:
        if artifacts.recall(artifacts.checkpoint(request.step), row.sha256):
            # Whoever wrote it may have died before its row.
            self._recovery(artifacts).record_checkpoint(request.step, row.sha256)
            return
        state, _ = self._take_state(artifacts, request, request.step, row.sha256, request.keep, progress)
        progress("write", 0, 1)
        self._recovery(artifacts).save_again(state, Origin(row.parent_sha256, row.batch_sha256))
        self._states.put(state)
        self._tidy(artifacts, request.step, request.keep, progress)

    def _result(self, request: TrainStepRequest, row: PolicyRow, how: RecoveredFrom) -> TrainStepResult:
        policy = Policy(name=f"{request.run_id}@{request.step}", sha256=row.sha256)
        return TrainStepResult(policy=policy, uri=row.uri, recovered_from=how, worker=self._worker, metrics=row.metrics)

    def _tidy(self, artifacts: RunArtifacts, step: int, keep: Keep, progress: Progress) -> None:
        """Remove what the commit made superfluous."""
        Collector(artifacts, self._stores.records).collect(keep, progress)
        artifacts.remove_leftovers(step)


def _checkpoint_request(request: TrainStepRequest, row: PolicyRow) -> CommittedStepRequest:
    return CommittedStepRequest(
        run_id=request.run_id,
        step=request.step,
        sha256=row.sha256,
        model=request.model,
        identity=request.identity,
        keep=request.checkpoint.keep,
    )


def _computed_with(metrics: Mapping[str, float]) -> ComputedWith:
    return ComputedWith(int(metrics["micro_batch_tokens"]), int(metrics["ranks"]))


def _check_not_diverged(state: TrainerState, row: PolicyRow | None) -> None:
    if row is not None and row.sha256 != state.sha256:
        raise Failure(
            FailureType.StepDiverged,
            f"step {state.step} of {state.run_id} gave policy {state.sha256}, committed is {row.sha256}",
            step=state.step,
        )


def _check_same_step(request: TrainStepRequest, row: PolicyRow) -> None:
    if (row.parent_sha256, row.batch_sha256) != (request.parent_sha256, request.batch.sha256):
        raise Failure(
            FailureType.BatchInvalid,
            f"step {request.step} of {request.run_id} is committed from batch {row.batch_sha256} on policy "
            f"{row.parent_sha256}, but asked for with batch {request.batch.sha256} on {request.parent_sha256}",
        )
