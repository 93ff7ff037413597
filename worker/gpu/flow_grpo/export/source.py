"""What is exported: a policy, the base model it belongs to, and what is known of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow_grpo.base_model import base_model_sha256, ensure_base_model, registered_model
from flow_grpo.failures import Failure, FailureType
from flow_grpo.model_directory import StoredTensors
from flow_grpo.policy import (
    Adapter,
    FullWeights,
    PolicyName,
    PolicyNotFound,
    policy_directory,
    read_manifest,
    read_policy,
    tensors_sha256,
)
from flow_grpo.stored_runs import StoredRuns
from flow_grpo.trainer.checkpoints import standing_steps
from flow_grpo.trainer.records import PolicyRow
from flow_grpo.trainer.settings import Settings


@dataclass(frozen=True)
class Source:
    """A policy of a run, checked."""

    name: PolicyName
    policy: Adapter | FullWeights
    manifest: Mapping[str, Any]
    base: Path
    """The base model's directory, whole and with this sha256."""
    base_sha256: str
    row: PolicyRow
    configuration: Mapping[str, Any]
    """Of the run, every default filled in; empty where the run has no row."""
    evaluations: list[dict[str, Any]]
    """Of the run up to this step."""

    @property
    def whole(self) -> bool:
        """Whether the policy is a whole model."""
        return isinstance(self.policy, FullWeights)


def read_source(settings: Settings, name: PolicyName) -> Source:
    """Read a policy and its base model from the artifact store and the cache, and check both.

    Raises PolicyNotFound, naming the policies that stand, PolicyBroken, UnknownModel, ModelDirectoryError, and Failure
    (WrongIdentity) where the policy is not the committed one, or the base model not the one it was trained on.
    """
    stored = StoredRuns(settings.database_url.get_secret_value())
    row = stored.policies(name.run).get(name.step)
    directory = policy_directory(settings.artifacts, name.run, name.step)
    if row is None or not directory.exists():
        standing = ", ".join(map(str, standing_steps(directory.parent))) or "none"
        problem = "was never committed" if row is None else "was collected, or is lost"
        raise PolicyNotFound(f"policy {name} {problem}; those of {name.run} that stand are of steps {standing}")
    policy, manifest = read_policy(directory), read_manifest(directory)
    if policy.sha256 != row.sha256:
        raise Failure(FailureType.WrongIdentity, f"{directory} holds policy {policy.sha256}, committed is {row.sha256}")
    base = ensure_base_model(registered_model(settings.operator_file, policy.base_model).source, settings.models_cache)
    return Source(
        name=name,
        policy=policy,
        manifest=manifest,
        base=base,
        base_sha256=_checked_base(base, policy.base_model, manifest),
        row=row,
        configuration=stored.configuration(name.run) or {},
        evaluations=[found for found in stored.evaluations(name.run) if found["step"] <= name.step],
    )


def _checked_base(base: Path, name: str, manifest: Mapping[str, Any]) -> str:
    recorded, actual = base_model_sha256(base), tensors_sha256(StoredTensors(base))
    trained_on = manifest["identity"].get("base model weights", recorded)
    if not actual == recorded == trained_on:
        raise Failure(
            FailureType.WrongIdentity,
            f"the weights of {name} in {base} have sha256 {actual}; recorded is {recorded}, trained on {trained_on}",
        )
    return actual
