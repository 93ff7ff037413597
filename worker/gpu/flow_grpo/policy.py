"""What a policy is: its name, its sha256, and the directory that holds its weights.

A policy is the planner's weights after a training step, named `<training run>@<step>` and identified by the sha256 of
its tensors. The directory of an adapter holds PEFT's `adapter_model.safetensors` and `adapter_config.json`, that of a
model which trains whole `model.safetensors` by transformers' names, in fp32. Each has a `manifest.json`, which is
written last: a directory without a manifest is not a policy.
"""

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from flow_grpo.model_directory import WEIGHTS

ADAPTER_TENSORS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
MANIFEST = "manifest.json"
ADAPTER_PREFIX = "base_model.model."

SAFETENSORS_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}

_POLICY_NAME = re.compile(r"(?P<run>[A-Za-z0-9][A-Za-z0-9._-]{0,127})@(?P<step>0|[1-9][0-9]{0,8})")


class PolicyNotFound(Exception):
    """No whole policy directory exists under the name: never written, or its manifest is missing."""


class PolicyBroken(Exception):
    """A policy directory exists, but a file in it is not the one its manifest names."""


@dataclass(frozen=True)
class PolicyName:
    """`<training run>@<step>`."""

    run: str
    step: int

    def __str__(self) -> str:
        return f"{self.run}@{self.step}"


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter as it lies in its directory.

    `tensors` are keyed by PEFT's names, for example `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`
    of shape (r, in) and `...lora_B.weight` of shape (out, r), both fp32.
    """

    config: dict[str, Any]
    tensors: dict[str, torch.Tensor]
    sha256: str

    @property
    def base_model(self) -> str:
        """The registered name of the model that the adapter belongs to."""
        return str(self.config["base_model_name_or_path"])

    @property
    def scale(self) -> float:
        """What B A is multiplied by: alpha / r."""
        return float(self.config["lora_alpha"]) / int(self.config["r"])


@dataclass(frozen=True)
class FullWeights:
    """The weights of a whole model as they lie in their directory: fp32, by transformers' names, what is tied once."""

    base_model: str
    """The registered name of the model that they began as."""
    tensors: dict[str, torch.Tensor]
    sha256: str


def parse_policy_name(name: str) -> PolicyName | None:
    """Read `<run>@<step>`; None when the name has another form (a base model's name has no `@`)."""
    match = _POLICY_NAME.fullmatch(name)
    return PolicyName(match["run"], int(match["step"])) if match else None


def policy_directory(root: Path, run: str, step: int) -> Path:
    """Where policy `<run>@<step>` lies in the artifact store whose root directory is `root`."""
    return root / "runs" / run / "policies" / f"{step:06d}"


def tensors_sha256(tensors: Mapping[str, torch.Tensor]) -> str:
    """Hex sha256 of named tensors: of content only, whatever file, order or metadata they come from.

    For each tensor, sorted by name: name, 0x00, dtype as safetensors names it, 0x00, shape as comma-joined decimal,
    0x00, the raw little-endian bytes in row-major order.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        shape = ",".join(str(size) for size in tensor.shape)
        digest.update(b"\0".join((name.encode(), SAFETENSORS_DTYPES[tensor.dtype].encode(), shape.encode(), b"")))
        digest.update(_little_endian(tensor).data)
    return digest.hexdigest()


def _little_endian(tensor: torch.Tensor) -> np.ndarray:
    raw = tensor.reshape(-1).view(torch.uint8).numpy()
    if sys.byteorder == "big":
        raw = np.ascontiguousarray(raw.reshape(-1, tensor.element_size())[:, ::-1])
    return raw


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(directory: Path) -> dict[str, Any]:
    """The directory's manifest: at least `files` (name -> sha256 of its bytes) and `policy_sha256`.

    Raises PolicyNotFound when there is none, PolicyBroken when it cannot be read.
    """
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except FileNotFoundError:
        raise PolicyNotFound(f"no policy in {directory}: it has no {MANIFEST}") from None
    except ValueError as error:
        raise PolicyBroken(f"{path} is not JSON: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise PolicyBroken(f"{path} lacks `files`, the sha256 of each file")
    return manifest


def read_policy(directory: Path) -> Adapter | FullWeights:
    """Read a policy and check it: each file against the manifest, the tensors against the policy's sha256.

    Raises PolicyNotFound when the directory is not whole, PolicyBroken when its content is not what it claims to be.
    """
    manifest = read_manifest(directory)
    if WEIGHTS in manifest["files"]:
        tensors, sha256 = _checked_tensors(directory, WEIGHTS, manifest)
        return FullWeights(str(manifest["identity"]["base model"]), tensors, sha256)
    tensors, sha256 = _checked_tensors(directory, ADAPTER_TENSORS, manifest)
    _check_file(directory / ADAPTER_CONFIG, manifest["files"].get(ADAPTER_CONFIG))
    return Adapter(json.loads((directory / ADAPTER_CONFIG).read_text()), tensors, sha256)


def _checked_tensors(directory: Path, file: str, manifest: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], str]:
    _check_file(directory / file, manifest["files"].get(file))
    tensors = load_file(directory / file)
    sha256 = tensors_sha256(tensors)
    if sha256 != manifest.get("policy_sha256"):
        raise PolicyBroken(
            f"the tensors in {directory} have sha256 {sha256}, the manifest names {manifest.get('policy_sha256')}"
        )
    return tensors, sha256


def _check_file(path: Path, expected: str | None) -> None:
    if not path.is_file():
        raise PolicyBroken(f"{path} is missing")
    actual = file_sha256(path)
    if actual != expected:
        raise PolicyBroken(f"{path} has sha256 {actual}, the manifest names {expected}")


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, as they lie in the file."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
