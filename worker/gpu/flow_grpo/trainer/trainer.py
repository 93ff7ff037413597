"""The trainer of one process: makes policies, takes steps, and holds the state between them.

In-memory state carries (run, step, sha256). It is taken out of memory before a step begins and put back only after the
commit, so an exception anywhere drops it (I4) and the next attempt recovers from what is on disk.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flow_grpo.artifacts import file_uri
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.batch import Policy, check_batch, read_batch
from flow_grpo.trainer.checkpoints import Identity, Origin, RunArtifacts
from flow_grpo.trainer.collection import Collector
from flow_grpo.trainer.computation import Computation
from flow_grpo.trainer.contract import (
    InitPolicyRequest,
    InitPolicyResult,
    Keep,
    RecoveredFrom,
    SaveCheckpointRequest,
    SaveCheckpointResult,
    StartPolicy,
    TrainStepRequest,
    TrainStepResult,
)
from flow_grpo.trainer.fork import forked_from, forked_state
from flow_grpo.trainer.held_states import HeldStates
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.rank import Rank
from flow_grpo.trainer.ranks.team import Team
from flow_grpo.trainer.records import PolicyRow, Records
from flow_grpo.trainer.recovery import Recovery, batch_path, step_inputs
from flow_grpo.trainer.reference import find_reference
from flow_grpo.trainer.state import TrainerState, initial_state
from flow_grpo.trainer.step import Progress
from flow_grpo.while_beating import while_beating

log = logging.getLogger(__name__)

Request = InitPolicyRequest | TrainStepRequest | SaveCheckpointRequest


@dataclass(frozen=True)
class Stores:
    """Where a trainer finds things."""

    artifacts: Path
    """Root directory of the artifact store."""
    models_cache: Path
    operator_file: Path
    records: Records
    replay_checkpoint_seconds: float


Report = Callable[[str, int, Mapping[str, float]], None]
"""Takes a committed step: the run's id, the step's number and its metrics. Returns at once and raises nothing."""


def _to_nobody(_run_id: str, _step: int, _metrics: Mapping[str, float]) -> None:
    """The report of a trainer without trackers."""


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
        self._computation: Computation = Team(self._models, runs, ranks) if ranks > 1 else Rank(self._models, runs)

    def init_policy(self, request: InitPolicyRequest, progress: Progress) -> InitPolicyResult:
        """Make and commit policy 0, from the seed or as a copy of another run's: a repeated call gives the same.

        Raises as forked_state and find_reference do, before a model is loaded for a run that can never begin.
        """
        artifacts = self._run_artifacts(request, progress)
        self._states.drop(request.run_id)
        reference = request.reference
        if reference:
            while_beating(
                lambda: find_reference(artifacts, request.weights, reference),
                lambda: progress("read reference policy", 0, 1),
            )
        state = self._state_zero(artifacts, request, progress)
        origin = Origin(None, None, forked_from(request.start) if request.start else None)
        winner = self._save_and_commit(artifacts, state, origin, {}, checkpoint=True, progress=progress)
        self._states.put(state)
        policy = Policy(name=state.policy_name, sha256=winner.sha256)
        return InitPolicyResult(policy=policy, uri=winner.uri, worker=self._worker)

    def train_step(self, request: TrainStepRequest, progress: Progress) -> TrainStepResult:
        """Take one step and commit it, or return the committed one. Idempotent, and safe beside other workers."""
        artifacts = self._run_artifacts(request, progress)
        row = self._stores.records.policy(request.run_id, request.step)
        if row is not None:
            _check_same_step(request, row)
            needs = Collector(artifacts, self._stores.records).needs(request.step, request.checkpoint.keep)
            if artifacts.has_whole_policy(request.step, row.sha256) or not needs.policy:
                if request.checkpoint.save and needs.checkpoint:
                    self._make_up_checkpoint(artifacts, _checkpoint_request(request, row), row, progress)
                return self._result(request, row, "committed")
        batch = read_batch(batch_path(artifacts.root, request.batch.uri), request.batch.sha256)
        check_batch(batch, request.run_id, request.step, request.parent_sha256, request.model, request.identity)
        before, how = self._take_state(
            artifacts, request, request.step - 1, request.parent_sha256, request.checkpoint.keep, progress
        )
        inputs = step_inputs(artifacts, batch, progress)
        state, metrics = self._computation.take_step(request.model, before, inputs, progress)
        origin = Origin(before.sha256, batch.sha256)
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

    def save_checkpoint(self, request: SaveCheckpointRequest, progress: Progress) -> SaveCheckpointResult:
        """Save the state after a committed step unless its checkpoint is whole already: after a cancel or a stop."""
        artifacts = self._run_artifacts(request, progress)
        row = self._stores.records.policy(request.run_id, request.step)
        if row is None or row.sha256 != request.sha256:
            raise Failure(
                FailureType.NotFound,
                f"step {request.step} of {request.run_id} with policy {request.sha256} is not committed",
            )
        self._make_up_checkpoint(artifacts, request, row, progress)
        return SaveCheckpointResult(uri=file_uri(artifacts.checkpoint(request.step)))

    def close(self) -> None:
        """End what runs beside this process for it."""
        self._computation.close()

    def _run_artifacts(self, request: Request, progress: Progress) -> RunArtifacts:
        identity = Identity(request.model, request.identity, self._models.identity(request.model, progress))
        return RunArtifacts(self._stores.artifacts, request.run_id, identity)

    def _recovery(self, artifacts: RunArtifacts) -> Recovery:
        return Recovery(artifacts, self._stores.records, self._stores.replay_checkpoint_seconds)

    def _state_zero(self, artifacts: RunArtifacts, request: InitPolicyRequest, progress: Progress) -> TrainerState:
        def beat() -> None:
            progress("policy 0", 0, 1)

        start, weights = request.start, request.weights
        copy = while_beating(lambda: self._copied_state(artifacts, weights, start), beat) if start else None
        planner = self._computation.planner(request.model, weights, request.dtype, progress)
        if copy is None:
            return while_beating(
                lambda: initial_state(request.run_id, weights, planner.initial_tensors(request.seed)), beat
            )
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
        snapshot = while_beating(lambda: recovery.snapshot(step), lambda: progress("load checkpoint", 0, 1))
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
        progress("write", 0, 2)
        directory = while_beating(lambda: artifacts.write_policy(state, origin), lambda: progress("write", 0, 2))
        progress("write", 1, 2)
        if checkpoint:
            saving = self._recovery(artifacts).save_checkpoint
            while_beating(lambda: saving(state, origin), lambda: progress("write", 1, 2))
        row = PolicyRow(file_uri(directory), state.sha256, origin.parent_sha256, origin.batch_sha256, metrics)
        winner = self._stores.records.commit_policy(state.run_id, state.step, row)
        if winner.sha256 != state.sha256:
            raise Failure(
                FailureType.StepDiverged,
                f"step {state.step} of {state.run_id} gave policy {state.sha256}, committed is {winner.sha256}",
                step=state.step,
            )
        return winner

    def _make_up_checkpoint(
        self, artifacts: RunArtifacts, request: SaveCheckpointRequest, row: PolicyRow, progress: Progress
    ) -> None:
        if artifacts.has_whole_checkpoint(request.step, row.sha256):
            return
        state, _ = self._take_state(artifacts, request, request.step, row.sha256, request.keep, progress)
        progress("write", 0, 1)
        saving, origin = self._recovery(artifacts).save_again, Origin(row.parent_sha256, row.batch_sha256)
        while_beating(lambda: saving(state, origin), lambda: progress("write", 0, 1))
        self._states.put(state)
        self._tidy(artifacts, request.step, request.keep, progress)

    def _result(self, request: TrainStepRequest, row: PolicyRow, how: RecoveredFrom) -> TrainStepResult:
        policy = Policy(name=f"{request.run_id}@{request.step}", sha256=row.sha256)
        return TrainStepResult(policy=policy, uri=row.uri, recovered_from=how, worker=self._worker, metrics=row.metrics)

    def _tidy(self, artifacts: RunArtifacts, step: int, keep: Keep, progress: Progress) -> None:
        """Remove what the commit made superfluous."""
        Collector(artifacts, self._stores.records).collect(keep, progress)
        artifacts.remove_leftovers(step)


def _checkpoint_request(request: TrainStepRequest, row: PolicyRow) -> SaveCheckpointRequest:
    return SaveCheckpointRequest(
        run_id=request.run_id,
        step=request.step,
        sha256=row.sha256,
        model=request.model,
        identity=request.identity,
        keep=request.checkpoint.keep,
    )


def _check_same_step(request: TrainStepRequest, row: PolicyRow) -> None:
    if (row.parent_sha256, row.batch_sha256) != (request.parent_sha256, request.batch.sha256):
        raise Failure(
            FailureType.BatchInvalid,
            f"step {request.step} of {request.run_id} is committed from batch {row.batch_sha256} on policy "
            f"{row.parent_sha256}, but asked for with batch {request.batch.sha256} on {request.parent_sha256}",
        )
