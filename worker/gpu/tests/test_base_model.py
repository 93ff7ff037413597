"""Base models: registered by name, made once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from flow_grpo import base_model
from flow_grpo.base_model import (
    BaseModelBroken,
    UnknownModel,
    base_model_sha256,
    ensure_base_model,
    load_tokenizer,
    read_base_model,
    registered_model,
    registered_models,
)
from flow_grpo.policy import read_tensors, tensors_sha256

OPERATOR = "models:\n  a: { source: smollm2, context: 2048 }\n  b: { source: tiny-random, context: 64 }\n"


@pytest.fixture
def operator_file(tmp_path: Path) -> Path:
    path = tmp_path / "operator.yaml"
    path.write_text(OPERATOR)
    return path


def test_registered_models_keep_their_order(operator_file: Path) -> None:
    assert list(registered_models(operator_file)) == ["a", "b"]
    assert registered_model(operator_file, "b").context == 64


def test_an_unknown_name_lists_the_registered_ones(operator_file: Path) -> None:
    with pytest.raises(UnknownModel, match=r"'c' is not registered.*registered: a, b"):
        registered_model(operator_file, "c")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tools: []", "`models` must map"),
        ("models: { a: { source: gpt, context: 1 } }", "models.a.source must be one of smollm2, tiny-random"),
        ("models: { a: { source: smollm2 } }", "models.a.context must be a positive number"),
    ],
)
def test_a_wrong_operator_file_says_where(operator_file: Path, text: str, problem: str) -> None:
    operator_file.write_text(text)
    with pytest.raises(ValueError, match=problem):
        registered_models(operator_file)


def test_a_model_is_made_once_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build(directory: Path, _cache: Path) -> None:
        built.append(directory)
        save_file({"w": torch.ones(2)}, directory / "model.safetensors")

    monkeypatch.setitem(base_model._BUILDERS, "smollm2", build)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: ensure_base_model("smollm2", tmp_path), range(8)))
    assert len(built) == len(found) == 1
    assert base_model_sha256(found.pop()) == tensors_sha256({"w": torch.ones(2)})


def test_a_model_whose_making_failed_is_absent_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(directory: Path, _cache: Path) -> None:
        (directory / "half").write_text("")
        raise OSError("no space left")

    monkeypatch.setitem(base_model._BUILDERS, "smollm2", fail)
    with pytest.raises(OSError, match="no space left"):
        ensure_base_model("smollm2", tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_tiny_random_is_the_same_everywhere(tiny_model: Path) -> None:
    tensors = read_tensors(tiny_model / "model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
    assert base_model_sha256(tiny_model) == tensors_sha256(tensors)
    assert base_model_sha256(tiny_model) == "57c8c5fddbca505920fc7fa3cbdd6dffc24f0f8f88415460d8d23ab42bc29b11"


def test_damaged_weights_are_seen(tiny_model: Path, tmp_path: Path) -> None:
    tensors = read_tensors(tiny_model / "model.safetensors")
    (tmp_path / "sha256").write_text(base_model_sha256(tiny_model) + "\n")
    save_file(tensors, tmp_path / "model.safetensors")
    assert read_base_model(tmp_path).keys() == tensors.keys()
    tensors["model.norm.weight"][0] += 1
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(BaseModelBroken, match="delete"):
        read_base_model(tmp_path)


def test_tokenizer_knows_the_chat_marks_and_single_digits(tiny_model: Path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    assert tokenizer("<|im_start|>user\n347").input_ids == [1, 4093, 198, *tokenizer("347").input_ids]
    assert len(tokenizer("347").input_ids) == 3
    assert tokenizer.eos_token == "<|im_end|>"
