"""Models of the operator's own are trained as exactly as those of the project, or refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM

from flow_grpo.base_model import base_model_sha256, ensure_base_model
from flow_grpo.causal_lm import UnsupportedModel, check_computable, load_causal_lm
from flow_grpo.failures import Failure, FailureType
from flow_grpo.model_directory import StoredTensors
from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.ranks.group import Ranks
from flow_grpo.trainer.step import Progress
from flow_grpo.trainer.tree_check import check_prefix_tree
from tests.models import SIZES, save_small_model
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, random_samples
from tests.trainer.test_gradient import VOCABULARY, assert_same_gradient

KINDS = ("qwen2", "qwen2-tied", "llama")


def exact_planner(directory: Path, attention: str) -> Planner:
    """The model in fp64 with an adapter whose B is not zero. Its norms too: transformers' own are fp32 in any model."""
    model = load_causal_lm(directory, attention, context=64)
    for layer in model.model.layers:
        for name in ("input_layernorm", "post_attention_layernorm"):
            setattr(layer, name, exact_norm(getattr(layer, name)))
    model.model.norm = exact_norm(model.model.norm)
    planner = Planner(model.double(), "small", Lora.model_validate(LORA), {})
    torch.manual_seed(1)
    for parameter in planner.parameters.values():
        parameter.data = torch.randn(parameter.shape, dtype=torch.float64) * 0.3
    return planner


def exact_norm(norm: Any) -> nn.RMSNorm:
    """The same norm in the dtype of its input."""
    exact = nn.RMSNorm(len(norm.weight), eps=norm.variance_epsilon)
    exact.weight.data = norm.weight.data
    return exact


def operators(tmp_path: Path, directory: Path, context: int = 64) -> BaseModels:
    """The models of an operator's file that registers `mine`."""
    file = tmp_path / "operator.yaml"
    file.write_text(f"models: {{ mine: {{ source: {{ directory: {directory} }}, context: {context} }} }}")
    return BaseModels(file, tmp_path / "cache")


def load(models: BaseModels, progress: Progress) -> Planner:
    """The planner of the registered model."""
    return models.load_planner("mine", Lora.model_validate(LORA), Ranks(), torch.float32, progress)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moved_by", [0.0, 0.4])
def test_the_gradient_over_the_tree_is_the_plain_one(tmp_path: Path, kind: str, moved_by: float) -> None:
    directory = ensure_base_model(save_small_model(kind, tmp_path / kind), tmp_path / "cache")
    tree, plain = exact_planner(directory, "prefix_tree"), exact_planner(directory, "sdpa")
    assert_same_gradient(tree, plain, random_samples(2, vocabulary=VOCABULARY), moved_by)


@pytest.mark.parametrize("kind", KINDS)
def test_a_registered_directory_becomes_a_planner(tmp_path: Path, kind: str) -> None:
    models = operators(tmp_path, save_small_model(kind, tmp_path / kind, max_shard_size="4KB"))
    phases: list[str] = []
    planner = load(models, lambda phase, _done, _total: phases.append(phase))
    # 2 layers, 7 projections, A and B.
    assert len(planner.parameters) == 28
    assert {"digest of the base model", "load model"} <= set(phases)
    weights = tensors_sha256(StoredTensors(tmp_path / kind))
    assert models.identity("mine", no_progress)["base model weights"] == weights
    assert base_model_sha256(models.directory("mine", no_progress)) == weights


def test_a_model_without_all_tensors_is_refused(tmp_path: Path) -> None:
    directory = save_small_model("llama", tmp_path / "llama")
    tensors = dict(StoredTensors(directory))
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Failure, match=r"lacks 1 tensors of the model, the first is model\.layers\.1") as caught:
        load(operators(tmp_path, directory), no_progress)
    assert caught.value.type == FailureType.BadConfiguration


def test_a_directory_that_is_gone_is_a_bad_configuration(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"has no config\.json") as caught:
        operators(tmp_path, tmp_path / "gone").identity("mine", no_progress)
    assert caught.value.type == FailureType.BadConfiguration


def test_an_attention_window_is_refused_only_where_it_would_show() -> None:
    model = MistralForCausalLM(MistralConfig(**SIZES, sliding_window=32))
    check_computable(model, context=32)
    with pytest.raises(UnsupportedModel, match="its attention window is not below 33 tokens"):
        check_computable(model, context=33)


def test_another_architecture_is_refused() -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2))
    with pytest.raises(UnsupportedModel, match=r"compute gpt2: it needs that its decoder is model\.layers"):
        check_computable(model, context=8)


def test_a_model_that_computes_otherwise_over_a_tree_is_refused(tmp_path: Path) -> None:
    planner = Planner.load(save_small_model("llama", tmp_path / "llama"), "odd", Lora.model_validate(LORA))
    check_prefix_tree(planner)
    # The model itself scales its hidden states before the head; the closed form of the head knows nothing of it.
    planner.model.lm_head.register_forward_pre_hook(lambda _module, inputs: (inputs[0] * 3,))
    with pytest.raises(UnsupportedModel, match=r"compute odd: over a prefix tree its log-probs differ by"):
        check_prefix_tree(planner)
