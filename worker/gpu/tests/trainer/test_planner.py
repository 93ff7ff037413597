"""The ways to compute a pass: same gradient from less memory, nearly the same from bf16, and the bits never vary."""

from pathlib import Path

import pytest
import torch
from torch import nn

from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.lora import FrozenLinear, LoraLinear
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.state import initial_state
from flow_grpo.trainer.step import StepInputs, take_step
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, MODEL, in_memory, random_samples, training


def gradient(planner: Planner, samples: list[Sample], **changes: object) -> torch.Tensor:
    """The first moment after a step that does not clip: a tenth of the gradient, all parameters in one row."""
    hyper = training(max_grad_norm=1e9, weights=planner.weights.model_dump(), **changes)
    shapes = planner.shapes()
    generator = torch.Generator().manual_seed(2)
    adapter = {name: torch.randn(shapes[name], generator=generator) * 0.1 for name in shapes}
    state = initial_state("run", planner.weights, adapter)
    after, _ = take_step(planner, state, StepInputs(in_memory(samples, hyper)), no_progress)
    return torch.cat([moment.flatten() for moment in after.optimiser.exp_avg.values()])


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradient_checkpointing_changes_no_bit(planner: Planner, dtype: str) -> None:
    samples = random_samples(5, groups=3)
    kept = gradient(planner, samples, dtype=dtype)
    assert torch.equal(gradient(planner, samples, dtype=dtype, gradient_checkpointing=True), kept)


def test_gradient_checkpointing_keeps_less(planner: Planner) -> None:
    """Bytes that autograd saves on the way forward."""
    samples = random_samples(5, groups=3)
    saved = {False: 0, True: 0}
    for recompute in saved:
        seen: dict[int, int] = {}

        def pack(tensor: torch.Tensor, seen: dict[int, int] = seen) -> torch.Tensor:
            if not isinstance(tensor, nn.Parameter):
                seen[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            gradient(planner, samples, gradient_checkpointing=recompute)
        saved[recompute] = sum(seen.values())
    assert saved[True] < saved[False]


def test_bf16_is_near_fp32_and_repeats_to_the_bit(planner: Planner) -> None:
    samples = random_samples(5, groups=3)
    exact = gradient(planner, samples)
    rounded = gradient(planner, samples, dtype="bfloat16")
    assert 0 < relative(rounded, exact) < 0.03
    assert torch.equal(gradient(planner, samples, dtype="bfloat16"), rounded)
    # The choice is the step's: it does not stay with the planner.
    assert torch.equal(gradient(planner, samples), exact)


def test_what_ran_before_changes_no_bit(planner: Planner) -> None:
    samples = random_samples(6)
    first = gradient(planner, samples)
    for seed in range(3):
        gradient(planner, random_samples(seed, groups=4, rollouts=5))
    assert torch.equal(gradient(planner, samples), first)


def test_layers_without_adapter_are_frozen_and_the_head_is_plain(tiny_model: Path) -> None:
    lora = Lora.model_validate({**LORA, "targets": ["q_proj", "v_proj"]})
    planner = Planner.load(tiny_model, MODEL, lora)
    assert {name.split(".")[-3] for name in planner.shapes()} == {"q_proj", "v_proj"}
    layer = planner.model.model.layers[0]
    assert isinstance(layer.self_attn.q_proj, LoraLinear)
    assert type(layer.mlp.up_proj) is FrozenLinear
    assert type(planner.model.lm_head) is nn.Linear
    assert float(gradient(planner, random_samples(1)).norm()) > 0
