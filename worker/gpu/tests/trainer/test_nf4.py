"""A base in 4 bits: the gradient is that of the matrices it stands for; without bitsandbytes it is refused at once.

bitsandbytes is an optional package: where it is not installed, the base in full precision is all there is to compare.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.lora import FrozenLinear, frozen_layers
from flow_grpo.trainer.nf4 import PACKAGE
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.ranks.group import Ranks
from flow_grpo.trainer.state import initial_state
from flow_grpo.trainer.step import StepInputs, take_step
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, MODEL, in_memory, random_samples, training
from tests.trainer.test_gradient import VOCABULARY, assert_same_gradient, small_planner

NF4 = {**LORA, "base": "nf4"}
IMPORTANCE = {"level": "token", "cap": 1.5}
BASES = ["full-precision", *(["nf4"] if find_spec(PACKAGE) else [])]


def matrix(layer: FrozenLinear) -> torch.Tensor:
    return layer.unpack(layer.base.weight)


@pytest.mark.parametrize("base", BASES)
def test_the_gradient_is_that_of_the_matrices_that_the_base_stands_for(base: str) -> None:
    """I7: policy and reference both compute with them, in fp64 as the formula does."""
    tree, plain = small_planner("prefix_tree", base), small_planner("sdpa")
    for held, given in zip(frozen_layers(tree.model), frozen_layers(plain.model), strict=True):
        rounded = float((matrix(held) - given.base.weight).norm() / given.base.weight.norm())
        assert 0.05 < rounded < 0.15 if base == "nf4" else rounded == 0
        given.base.weight.data = matrix(held)
    samples = random_samples(2, vocabulary=VOCABULARY)
    weights = {**LORA, "base": base}
    assert_same_gradient(tree, plain, samples, 0.4, weights=weights, importance_sampling=IMPORTANCE)


@pytest.mark.parametrize("base", BASES)
def test_a_step_on_the_tiny_model_repeats_to_the_bit(tiny_model: Path, base: str) -> None:
    """I3: loaded anew, with and without gradient checkpointing."""
    weights = Lora.model_validate({**LORA, "base": base})

    def step(**changes: Any) -> str:
        planner = Planner.load(tiny_model, MODEL, weights)
        hyper = training(weights=weights.model_dump(), importance_sampling=IMPORTANCE, **changes)
        state = initial_state("run", weights, planner.initial_tensors(3))
        inputs = StepInputs(in_memory(random_samples(5, groups=3), hyper))
        return take_step(planner, state, inputs, no_progress)[0].sha256

    assert step() == step() == step(gradient_checkpointing=True)


@pytest.mark.parametrize(("ranks", "message"), [(1, f"uv pip install .* {PACKAGE}`"), (2, "has 2 ranks")])
def test_what_is_missing_is_said_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ranks: int, message: str
) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    models = BaseModels(tmp_path / "no operator's file", tmp_path)
    with pytest.raises(Failure, match=message) as caught:
        models.load_planner(MODEL, Lora.model_validate(NF4), Ranks(count=ranks), torch.float32, no_progress)
    assert caught.value.type is FailureType.BadConfiguration


def test_samples_of_the_base_in_full_precision_are_weighted() -> None:
    """I7: the policy server samples from another function than the one that trains."""
    with pytest.raises(ValidationError, match="importance_sampling must not be none"):
        training(weights=NF4)
    assert training(weights=NF4, importance_sampling=IMPORTANCE).weights == Lora.model_validate(NF4)
