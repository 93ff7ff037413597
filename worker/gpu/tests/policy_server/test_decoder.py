"""The decoder computes what transformers and PEFT compute."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from flow_grpo.base_model import ensure_base_model
from flow_grpo.policy_server.decoder_shape import UnsupportedModel, read_shape
from flow_grpo.policy_server.policies import LoadedPolicy, PolicyStore
from tests.policy_server.adapters import peft_model, write_policy
from tests.policy_server.conftest import MODELS, SMOLLM2, TINY

PROMPT_LENGTH = 70


def decoder_logits(policy: LoadedPolicy, tokens: list[int]) -> np.ndarray:
    """Logits (tokens, vocabulary) of a sequence, computed in one go with nothing cached."""
    runtime = policy.runtime
    runtime.forget_cache()
    _, nodes = runtime.cache.extend(runtime.cache.root(policy.sha256), tokens)
    runtime.compute(policy.weights, nodes)
    size = runtime.decoder.max_logit_rows
    parts = [nodes[start : start + size] for start in range(0, len(nodes), size)]
    return np.concatenate([runtime.logits(policy.weights, part) for part in parts])


@pytest.fixture
def tokens() -> list[int]:
    return np.random.default_rng(0).integers(0, 49152, PROMPT_LENGTH).tolist()


@pytest.mark.parametrize("name", [TINY, SMOLLM2])
def test_logits_agree_with_transformers(
    name: str, policies: PolicyStore, models_cache: Path, tokens: list[int]
) -> None:
    logits = decoder_logits(policies.base(name), tokens)
    model = AutoModelForCausalLM.from_pretrained(
        ensure_base_model(MODELS[name].source, models_cache), dtype=torch.float32
    )
    with torch.inference_mode():
        expected = model(torch.tensor([tokens])).logits[0].numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-5 * np.abs(expected).max())


def test_merged_adapter_agrees_with_peft(
    policies: PolicyStore, artifacts: Path, tiny_model: Path, tokens: list[int]
) -> None:
    model = peft_model(tiny_model, seed=1)
    sha256 = write_policy(artifacts, "peft", 0, model, TINY)
    policy = policies.acquire("peft@0", sha256)
    logits = decoder_logits(policy, tokens)
    policies.release(policy)
    with torch.inference_mode():
        expected = model(torch.tensor([tokens])).logits[0].numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())
    assert np.abs(logits - decoder_logits(policies.base(TINY), tokens)).max() > 0.1


def test_another_architecture_is_refused_by_name(tiny_model: Path, tmp_path: Path) -> None:
    config = (tiny_model / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"llama"', '"qwen2"'))
    with pytest.raises(UnsupportedModel, match="model_type is llama"):
        read_shape(tmp_path)
