"""Policy 0 of a fork: a copy of another run's policy. Afterwards nothing of the parent is needed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.batch import differing_parts, wrong_identity
from flow_grpo.trainer.checkpoints import ForkedFrom, RunArtifacts, read_optimiser, read_weights, stored_weights
from flow_grpo.trainer.contract import ForkPart, StartPolicy
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.named_policy import find_policy
from flow_grpo.trainer.state import TrainerState, initial_state

OWN_PARTS = frozenset(
    {
        "reward",
        "seed",
        "tool_data",
        "trainer version",
        "trajectories",
        "weights",  # spelt out by its writer; what trains is compared by itself
    }
)
"""Parts of the identity that are a fork's own: none says what the policy was trained to read."""

PART_OF: Mapping[str, ForkPart] = {
    "model": "base-model",
    "base model": "base-model",
    "base model config": "base-model",
    "base model weights": "base-model",
    "tokenizer": "tokenizer",
    "planner_prompt": "prompts",
    "module_prompts": "prompts",
    "dataset": "dataset",
    "dataset_texts": "dataset",
}
"""Parts of the identity that a fork shares with its parent unless it is allowed to differ, by what allows it."""


def forked_state(run: RunArtifacts, weights: Weights, start: StartPolicy) -> TrainerState:
    """State 0 of `run`: what trains in another run's policy, with a fresh optimiser or with the parent's.

    Raises as find_policy does, and WrongIdentity, naming what differs, for other weights and for parts of the identity
    that are neither a fork's own nor allowed.
    """
    name = start.policy.name
    directory, manifest = find_policy(run, start.policy, optimizer=start.optimizer)
    _check_identity(name, manifest["identity"], run.identity.as_parts(), start.allow)
    theirs = stored_weights(manifest)
    if theirs != weights:
        message = f"{name} has weights of {theirs}, this run of {weights}: a fork keeps its parent's"
        raise Failure(FailureType.WrongIdentity, message, differs=["weights"])
    state = initial_state(run.run_id, weights, read_weights(directory, manifest))
    if state.sha256 != start.policy.sha256:
        raise artifacts.ArtifactBroken(f"the tensors of {name} do not have the sha256 of its manifest")
    return replace(state, optimiser=read_optimiser(directory)) if start.optimizer else state


def forked_from(start: StartPolicy) -> ForkedFrom:
    """What a fork's manifests note about its start."""
    return ForkedFrom(start.policy.name, start.policy.sha256, start.optimizer, start.allow)


def _check_identity(name: str, theirs: Mapping[str, str], ours: Mapping[str, str], allow: Collection[ForkPart]) -> None:
    differing = [part for part in differing_parts(theirs, ours) if part not in OWN_PARTS]
    refused = [part for part in differing if PART_OF.get(part) not in allow]
    if refused:
        raise wrong_identity(f"policy {name}", theirs, ours, refused, _remedy(refused))


def _remedy(refused: Sequence[str]) -> str:
    """How to start all the same; nothing where a part may never differ."""
    if not PART_OF.keys() >= set(refused):
        return ""
    parts = sorted({PART_OF[part] for part in refused})
    return (
        f". To start from it all the same, name what differs: --allow {','.join(parts)} beside --from, or "
        f"`from.allow: [{', '.join(parts)}]` in the configuration"
    )
