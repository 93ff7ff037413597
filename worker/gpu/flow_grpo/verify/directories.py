"""Verifies one directory artifact: files against the manifest, tensors against the policy, all against the row."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from flow_grpo import artifacts
from flow_grpo.model_directory import WEIGHTS
from flow_grpo.policy import ADAPTER_TENSORS, tensors_sha256
from flow_grpo.trainer.checkpoints import optimiser_file, read_optimiser, read_weights
from flow_grpo.trainer.state import OptimiserState


def directory_problems(directory: Path, claims: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a policy's or checkpoint's directory. `claims`: what its manifest must say, by key."""
    try:
        manifest = artifacts.check_directory(directory)
        yield from _claim_problems(manifest, claims)
        yield from _tensor_problems(directory, manifest, claims["policy_sha256"])
    except artifacts.ArtifactMissing:
        yield "there is no manifest.json" if directory.exists() else "the directory is missing"
    except artifacts.ArtifactBroken as error:
        yield str(error)
    except SafetensorError as error:
        yield f"its tensors cannot be read: {error}"


def _claim_problems(manifest: Mapping[str, Any], claims: Mapping[str, Any]) -> Iterator[str]:
    for key, expected in claims.items():
        if manifest.get(key) != expected:
            yield f"its manifest has {key} {manifest.get(key)}, the database {expected}"


def _tensor_problems(directory: Path, manifest: Mapping[str, Any], sha256: str) -> Iterator[str]:
    files = manifest["files"]
    if ADAPTER_TENSORS not in files and WEIGHTS not in files:
        yield f"it has neither {ADAPTER_TENSORS} nor {WEIGHTS}"
        return
    tensors = read_weights(directory, manifest)
    actual = tensors_sha256(tensors)
    if actual != sha256:
        yield f"its tensors have sha256 {actual}, the policy {sha256}"
    optimiser = optimiser_file(manifest)
    if optimiser is None:
        return
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    if not _fits(read_optimiser(directory, optimiser), shapes):
        yield "its optimiser state is of other weights"


def _fits(optimiser: OptimiserState, shapes: Mapping[str, Any]) -> bool:
    moments = (optimiser.exp_avg, optimiser.exp_avg_sq)
    return all({name: tensor.shape for name, tensor in moment.items()} == shapes for moment in moments)
