"""A model of the operator's own: read as safetensors only, known by what it is, never written to."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from flow_grpo.base_model import (
    base_model_identity,
    base_model_sha256,
    ensure_base_model,
    read_base_model,
    registered_model,
)
from flow_grpo.model_directory import ModelDirectoryError, StoredTensors
from flow_grpo.policy import tensors_sha256
from tests.models import save_small_model


@pytest.fixture
def qwen(tmp_path: Path) -> Path:
    """A directory of an untied Qwen2."""
    return save_small_model("qwen2", tmp_path / "qwen")


def touch(path: Path) -> None:
    """Give the file another modification time, as a copy over it has."""
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 10**9))


@pytest.mark.parametrize("source", ["{ directory: models/qwen }", "{ directory: /m, url: x }", "/m", "[smollm2]"])
def test_a_directory_is_an_absolute_path_and_nothing_else(tmp_path: Path, source: str) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(f"models: {{ mine: {{ source: {source}, context: 64 }} }}")
    with pytest.raises(ValueError, match=r"models.mine.source must be one of .* or \{ directory: /absolute/path \}"):
        registered_model(file, "mine")
    file.write_text("models: { mine: { source: { directory: /models/qwen }, context: 64 } }")
    assert registered_model(file, "mine").source == Path("/models/qwen")


def test_shards_and_one_file_are_the_same_model(qwen: Path, tmp_path: Path) -> None:
    sharded = save_small_model("qwen2", tmp_path / "sharded", max_shard_size="4KB")
    assert len(list(sharded.glob("*.safetensors"))) > 1
    one, many = (ensure_base_model(source, tmp_path / "cache") for source in (qwen, sharded))
    assert base_model_identity(one) == base_model_identity(many)
    tensors = read_base_model(many)
    assert tensors_sha256(tensors) == base_model_sha256(many)
    assert tensors.keys() == read_base_model(one).keys()


def test_the_operators_directory_is_not_written_to(qwen: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in qwen.iterdir()}
    qwen.chmod(0o500)
    try:
        ensure_base_model(qwen, tmp_path / "cache")
    finally:
        qwen.chmod(0o700)
    assert {path.name: path.read_bytes() for path in qwen.iterdir()} == before


def test_a_file_that_changes_gives_another_identity(qwen: Path, tmp_path: Path) -> None:
    first = base_model_identity(ensure_base_model(qwen, tmp_path / "cache"))
    touch(qwen / "model.safetensors")
    assert base_model_identity(ensure_base_model(qwen, tmp_path / "cache")) == first, "the same bytes, copied anew"
    tensors = dict(StoredTensors(qwen))
    tensors["model.norm.weight"][0] += 1
    save_file(tensors, qwen / "model.safetensors", metadata={"format": "pt"})
    touch(qwen / "model.safetensors")
    config = json.loads((qwen / "config.json").read_text())
    (qwen / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-3, "transformers_version": "9"}))
    (qwen / "tokenizer.json").write_text("{}")
    second = base_model_identity(ensure_base_model(qwen, tmp_path / "cache"))
    assert [first[key] != second[key] for key in first] == [True, True, True]


def test_the_version_of_transformers_is_no_part_of_the_identity(qwen: Path, tmp_path: Path) -> None:
    first = base_model_identity(ensure_base_model(qwen, tmp_path / "cache"))
    config = json.loads((qwen / "config.json").read_text())
    (qwen / "config.json").write_text(json.dumps({**config, "transformers_version": "9"}))
    assert base_model_identity(ensure_base_model(qwen, tmp_path / "cache")) == first


def test_neither_code_nor_pickles_nor_adapters_are_reachable(qwen: Path, tmp_path: Path) -> None:
    for name in ("pytorch_model.bin", "modeling_qwen.py", "adapter_config.json", "adapter_model.safetensors"):
        (qwen / name).write_text("{}")
    seen = {path.name for path in ensure_base_model(qwen, tmp_path / "cache").iterdir()}
    assert seen == {"config.json", "generation_config.json", "model.safetensors", "sha256"}


@pytest.mark.parametrize(
    ("lost", "problem"),
    [("config.json", "has no config.json"), ("model.safetensors", "only safetensors are read")],
)
def test_a_directory_that_is_no_model_says_why(qwen: Path, tmp_path: Path, lost: str, problem: str) -> None:
    (qwen / lost).unlink()
    torch.save({"w": torch.ones(1)}, qwen / "pytorch_model.bin")
    with pytest.raises(ModelDirectoryError, match=problem):
        ensure_base_model(qwen, tmp_path / "cache")


def test_a_lost_shard_is_named(tmp_path: Path) -> None:
    sharded = save_small_model("qwen2", tmp_path / "sharded", max_shard_size="4KB")
    lost = sorted(sharded.glob("*.safetensors"))[0]
    lost.unlink()
    with pytest.raises(ModelDirectoryError, match=f"lacks {lost.name}"):
        ensure_base_model(sharded, tmp_path / "cache")


def test_weights_in_bf16_are_read_in_fp32_under_the_sha256_of_the_file(qwen: Path, tmp_path: Path) -> None:
    halves = {name: tensor.bfloat16() for name, tensor in StoredTensors(qwen).items()}
    save_file(halves, qwen / "model.safetensors", metadata={"format": "pt"})
    directory = ensure_base_model(qwen, tmp_path / "cache")
    assert base_model_sha256(directory) == tensors_sha256(halves)
    assert {tensor.dtype for tensor in read_base_model(directory).values()} == {torch.float32}


def test_every_tensor_that_is_digested_is_a_heartbeat(qwen: Path, tmp_path: Path) -> None:
    beats: list[int] = []
    ensure_base_model(qwen, tmp_path / "cache", lambda: beats.append(1))
    assert len(beats) == len(StoredTensors(qwen))
