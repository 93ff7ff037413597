"""The reference policy of the KL term, where that is not the base model: a policy of any run with the same shape."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from flow_grpo.trainer.batch import Policy, check_identity
from flow_grpo.trainer.checkpoints import RunArtifacts, read_weights, stored_weights
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.named_policy import find_policy

BASE = ("base model", "base model config", "base model weights")
"""Parts of the identity that decide, with the weights, what a policy computes from token ids."""


def find_reference(run: RunArtifacts, weights: Weights, policy: Policy) -> tuple[Path, dict[str, Any]]:
    """Directory and manifest of the reference of a run that trains `weights`.

    Raises as find_policy does, and WrongIdentity, naming what differs, for a policy on another base model, or of
    weights that this run's model would compute otherwise: of another adapter's scale, say.
    """
    directory, manifest = find_policy(run, policy)
    what = f"{policy.name}, the reference of the KL term,"
    theirs, ours = manifest["identity"], run.identity.as_parts()
    check_identity(what, _function(theirs, stored_weights(manifest)), _function(ours, weights))
    return directory, manifest


def reference_tensors(run: RunArtifacts, weights: Weights, policy: Policy) -> dict[str, torch.Tensor]:
    """What trains in the reference. Raises as find_reference does."""
    return read_weights(*find_reference(run, weights, policy))


def _function(identity: Mapping[str, str], weights: Weights) -> dict[str, str]:
    """What decides the function that a policy is, by name."""
    base = {name: identity[name] for name in BASE}
    return base | {f"weights.{name}": str(value) for name, value in weights.model_dump().items()}
