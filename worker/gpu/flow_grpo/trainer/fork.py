"""Policy 0 of a fork: a copy of another run's policy. Afterwards nothing of the parent is needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import PolicyName, parse_policy_name, tensors_sha256
from flow_grpo.trainer.batch import check_identity
from flow_grpo.trainer.checkpoints import ForkedFrom, RunArtifacts, read_optimiser, read_weights, stored_weights
from flow_grpo.trainer.contract import StartPolicy
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.state import TrainerState, initial_state

FORK_MAY_DIFFER = frozenset(
    {
        "dataset",
        "dataset_texts",
        "planner_prompt",
        "reward",
        "seed",
        "trainer version",
        "trajectories",
        "weights",  # spelt out by its writer; what trains is compared by itself
    }
)
"""Parts of the identity that a fork need not share with its parent. The base model is not among them."""


def forked_state(run: RunArtifacts, weights: Weights, start: StartPolicy) -> TrainerState:
    """State 0 of `run`: what trains in another run's policy, with a fresh optimiser or with the parent's.

    Raises Failure: BadConfiguration for a name that is not a policy's; NotFound when the policy, or the checkpoint with
    its optimiser, stands no more; WrongIdentity for another sha256, base model or weights. Raises ArtifactMissing
    or ArtifactBroken, which are retried, for a parent that is lost or damaged: an operator can bring it back.
    """
    name = parse_policy_name(start.policy.name)
    if name is None:
        raise Failure(FailureType.BadConfiguration, f"{start.policy.name!r} is not the name of a policy, <run>@<step>")
    parent = RunArtifacts(run.root, name.run, run.identity)
    directory = _checkpoint(parent, name) if start.optimizer else _policy(parent, name)
    manifest = _checked_manifest(parent, directory, start)
    theirs = stored_weights(manifest)
    if theirs != weights:
        message = f"{name} has weights of {theirs}, this run of {weights}: a fork keeps its parent's"
        raise Failure(FailureType.WrongIdentity, message, differs=["weights"])
    tensors = read_weights(directory, manifest)
    if tensors_sha256(tensors) != start.policy.sha256:
        raise artifacts.ArtifactBroken(f"the tensors of {name} do not have the sha256 of its manifest")
    state = initial_state(run.run_id, weights, tensors)
    return replace(state, optimiser=read_optimiser(directory)) if start.optimizer else state


def forked_from(start: StartPolicy) -> ForkedFrom:
    """What a fork's manifests note about its start."""
    return ForkedFrom(start.policy.name, start.policy.sha256, start.optimizer)


def _policy(parent: RunArtifacts, name: PolicyName) -> Path:
    directory = parent.policy(name.step)
    # Policy 0 always stays: where it stands and another does not, that one was collected.
    if not directory.exists() and parent.policy(0).exists():
        raise Failure(
            FailureType.NotFound,
            f"policy {name} was collected; those of {name.run} that stand are of steps "
            f"{_listed(parent.policy_steps())}",
        )
    return directory


def _checkpoint(parent: RunArtifacts, name: PolicyName) -> Path:
    directory = parent.checkpoint(name.step)
    if not directory.exists() and parent.policy(0).exists():
        raise Failure(
            FailureType.NotFound,
            f"the optimiser of {name} cannot be carried over: there is no checkpoint of that step; those of "
            f"{name.run} that stand are of steps {_listed(parent.checkpoint_steps())}",
        )
    return directory


def _checked_manifest(parent: RunArtifacts, directory: Path, start: StartPolicy) -> dict[str, Any]:
    manifest = artifacts.check_directory(directory)
    ours = parent.identity.as_parts()
    check_identity(f"policy {start.policy.name}", manifest["identity"], ours, allow=FORK_MAY_DIFFER)
    if manifest["policy_sha256"] != start.policy.sha256:
        raise Failure(
            FailureType.WrongIdentity,
            f"{start.policy.name} is policy {manifest['policy_sha256']}, not {start.policy.sha256}",
        )
    return manifest


def _listed(steps: list[int]) -> str:
    return ", ".join(map(str, steps)) or "none"
