"""Policies by name, by sha256 and on disk."""

import hashlib
import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from flow_grpo.policy import (
    Adapter,
    PolicyBroken,
    PolicyName,
    PolicyNotFound,
    parse_policy_name,
    policy_directory,
    read_policy,
    tensors_sha256,
)


def test_names() -> None:
    assert parse_policy_name("run-1@12") == PolicyName("run-1", 12)
    assert str(PolicyName("run-1", 12)) == "run-1@12"
    assert policy_directory(Path("/store"), "run-1", 12) == Path("/store/runs/run-1/policies/000012")


@pytest.mark.parametrize("name", ["smollm2", "run@", "run@-1", "run@01", "../run@1", "a/b@1", "@1", "run@1\n", ".@1"])
def test_what_is_not_a_policy_name(name: str) -> None:
    assert parse_policy_name(name) is None


def test_sha256_covers_names_types_shapes_and_bytes_in_order_of_names() -> None:
    tensors = {"b": torch.tensor([[1.0, -2.0]]), "a": torch.tensor(3, dtype=torch.int32)}
    expected = hashlib.sha256(
        b"a\0I32\0\0" + struct.pack("<i", 3) + b"b\0F32\0" + b"1,2\0" + struct.pack("<2f", 1.0, -2.0)
    ).hexdigest()
    assert tensors_sha256(tensors) == expected
    assert tensors_sha256({"b": tensors["b"].T.contiguous().T, "a": tensors["a"]}) == expected
    assert tensors_sha256({"b": tensors["b"].reshape(2, 1), "a": tensors["a"]}) != expected
    assert tensors_sha256({"b": tensors["b"].bfloat16(), "a": tensors["a"]}) != expected


def write(directory: Path) -> dict[str, torch.Tensor]:
    tensors = {"x.lora_A.weight": torch.ones(2, 3), "x.lora_B.weight": torch.zeros(4, 2)}
    save_file(tensors, directory / "adapter_model.safetensors")
    config = {"base_model_name_or_path": "tiny-random", "r": 2, "lora_alpha": 3}
    (directory / "adapter_config.json").write_text(json.dumps(config))
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}
    manifest = {"files": files, "policy_sha256": tensors_sha256(tensors)}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return tensors


def test_an_adapter_is_read_as_it_was_written(tmp_path: Path) -> None:
    tensors = write(tmp_path)
    adapter = read_policy(tmp_path)
    assert isinstance(adapter, Adapter)
    assert (adapter.base_model, adapter.scale, adapter.sha256) == ("tiny-random", 1.5, tensors_sha256(tensors))
    assert all(torch.equal(adapter.tensors[name], tensor) for name, tensor in tensors.items())


def test_a_directory_without_a_manifest_is_no_policy(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(PolicyNotFound):
        read_policy(tmp_path)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_damage_is_seen_and_named(tmp_path: Path, name: str, damage: str) -> None:
    write(tmp_path)
    if damage == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    with pytest.raises(PolicyBroken, match=name):
        read_policy(tmp_path)


def test_another_sha256_in_the_manifest_is_seen(tmp_path: Path) -> None:
    write(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"policy_sha256": "0" * 64}))
    with pytest.raises(PolicyBroken, match="the manifest names 0000"):
        read_policy(tmp_path)
