"""Policy 0 of a fork: a copy of another run's policy. Afterwards nothing of the parent is needed."""

from dataclasses import replace
from pathlib import Path

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import ADAPTER_CONFIG, ADAPTER_TENSORS, PolicyName, parse_policy_name, tensors_sha256
from flow_grpo.trainer.batch import check_identity
from flow_grpo.trainer.checkpoints import OPTIMISER_TENSORS, ForkedFrom, RunArtifacts, read_lora
from flow_grpo.trainer.contract import StartPolicy
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.state import TrainerState, initial_state, read_adapter, read_optimiser

FORK_MAY_DIFFER = frozenset(
    {
        "adapter",  # spelt out by its writer; the shape itself is compared
        "dataset",
        "dataset_texts",
        "planner_prompt",
        "reward",
        "seed",
        "trainer version",
        "trajectories",
    }
)
"""Parts of the identity that a fork need not share with its parent. The base model is not among them."""


def forked_state(run: RunArtifacts, lora: Lora, start: StartPolicy) -> TrainerState:
    """State 0 of `run`: the adapter of another run's policy, with a fresh optimiser or with the parent's.

    Raises Failure: BadConfiguration for a name that is not a policy's; NotFound when the policy, or the checkpoint with
    its optimiser, stands no more; WrongIdentity for another sha256, base model or adapter shape. Raises ArtifactMissing
    or ArtifactBroken, which are retried, for a parent that is lost or damaged: an operator can bring it back.
    """
    name = parse_policy_name(start.policy.name)
    if name is None:
        raise Failure(FailureType.BadConfiguration, f"{start.policy.name!r} is not the name of a policy, <run>@<step>")
    parent = RunArtifacts(run.root, name.run, run.identity)
    files = _load_optimiser(parent, name, start) if start.optimizer else _load_policy(parent, name, start)
    theirs = read_lora(files[ADAPTER_CONFIG])
    if theirs != lora:
        message = f"{name} has an adapter of {theirs}, this run of {lora}: a fork keeps its parent's"
        raise Failure(FailureType.WrongIdentity, message, differs=["adapter"])
    adapter = read_adapter(files[ADAPTER_TENSORS])
    if tensors_sha256(adapter) != start.policy.sha256:
        raise artifacts.ArtifactBroken(f"the tensors of {name} do not have the sha256 of its manifest")
    state = initial_state(run.run_id, lora, adapter)
    return replace(state, optimiser=read_optimiser(files[OPTIMISER_TENSORS])) if start.optimizer else state


def forked_from(start: StartPolicy) -> ForkedFrom:
    """What a fork's manifests note about its start."""
    return ForkedFrom(start.policy.name, start.policy.sha256, start.optimizer)


def _load_policy(parent: RunArtifacts, name: PolicyName, start: StartPolicy) -> dict[str, bytes]:
    directory = parent.policy(name.step)
    # Policy 0 always stays: where it stands and another does not, that one was collected.
    if not directory.exists() and parent.policy(0).exists():
        raise Failure(
            FailureType.NotFound,
            f"the adapter of {name} was collected; those of {name.run} that stand are of steps "
            f"{_listed(parent.policy_steps())}",
        )
    return _load(parent, directory, start)


def _load_optimiser(parent: RunArtifacts, name: PolicyName, start: StartPolicy) -> dict[str, bytes]:
    directory = parent.checkpoint(name.step)
    if not directory.exists() and parent.policy(0).exists():
        raise Failure(
            FailureType.NotFound,
            f"the optimiser of {name} cannot be carried over: there is no checkpoint of that step; those of "
            f"{name.run} that stand are of steps {_listed(parent.checkpoint_steps())}",
        )
    return _load(parent, directory, start)


def _load(parent: RunArtifacts, directory: Path, start: StartPolicy) -> dict[str, bytes]:
    manifest, files = artifacts.load_directory(directory)
    ours = parent.identity.as_parts()
    check_identity(f"policy {start.policy.name}", manifest["identity"], ours, allow=FORK_MAY_DIFFER)
    if manifest["policy_sha256"] != start.policy.sha256:
        raise Failure(
            FailureType.WrongIdentity,
            f"{start.policy.name} is policy {manifest['policy_sha256']}, not {start.policy.sha256}",
        )
    return files


def _listed(steps: list[int]) -> str:
    return ", ".join(map(str, steps)) or "none"
