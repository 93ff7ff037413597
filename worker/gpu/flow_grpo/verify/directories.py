"""Verifies one directory artifact: files against the manifest, tensors against the policy, all against the row."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from flow_grpo import artifacts
from flow_grpo.policy import ADAPTER_TENSORS, tensors_sha256
from flow_grpo.trainer.checkpoints import OPTIMISER_TENSORS
from flow_grpo.trainer.state import OptimiserState, read_adapter, read_optimiser

Files = Mapping[str, bytes]


def directory_problems(directory: Path, claims: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a policy's or checkpoint's directory. `claims`: what its manifest must say, by key."""
    try:
        manifest, files = artifacts.load_directory(directory)
        yield from _claim_problems(manifest, claims)
        yield from _tensor_problems(files, claims["policy_sha256"])
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


def _tensor_problems(files: Files, sha256: str) -> Iterator[str]:
    if ADAPTER_TENSORS not in files:
        yield f"it has no {ADAPTER_TENSORS}"
        return
    adapter = read_adapter(files[ADAPTER_TENSORS])
    actual = tensors_sha256(adapter)
    if actual != sha256:
        yield f"its tensors have sha256 {actual}, the policy {sha256}"
    if OPTIMISER_TENSORS not in files:
        return
    shapes = {name: tensor.shape for name, tensor in adapter.items()}
    if not _fits(read_optimiser(files[OPTIMISER_TENSORS]), shapes):
        yield "its optimiser state is of another adapter"


def _fits(optimiser: OptimiserState, shapes: Mapping[str, Any]) -> bool:
    moments = (optimiser.exp_avg, optimiser.exp_avg_sq)
    return all({name: tensor.shape for name, tensor in moment.items()} == shapes for moment in moments)
