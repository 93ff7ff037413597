"""The gradient step on a GPU: the formula's gradient, FlexAttention, bf16, and the same bits every time.

Skipped where there is none. With one: .venv/bin/python -m pytest -m gpu
"""

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.flex_attention import FlexTreeAttention
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.prefix_tree import build_tree
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.state import TrainerState, initial_state, optimiser_tensors
from flow_grpo.trainer.step import StepInputs, take_step
from flow_grpo.trainer.tree_attention import BlockAttention
from tests.trainer.formula import Turn
from tests.trainer.formula import loss as formula_loss
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, in_memory, kl, random_samples, training
from tests.trainer.test_gradient import RESPONSE_LIMIT, TEMPERATURE, VOCABULARY, formula_turns, spread

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="gpu: this machine has none that CUDA can use"),
]

# Heads of 16, the narrowest that FlexAttention compiles.
CONFIG: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
BETA = 0.1


def make_planner(attention: str) -> Planner:
    """A two-layer model with an adapter whose B is not zero; the same weights each time, in fp32 on the CPU."""
    torch.manual_seed(5)
    config = LlamaConfig(**CONFIG)
    config._attn_implementation = attention
    planner = Planner(LlamaForCausalLM(config), "small", Lora.model_validate(LORA), base={})
    generator = torch.Generator().manual_seed(6)
    planner.set_tensors({name: torch.randn(s, generator=generator) * 0.1 for name, s in planner.shapes().items()})
    return planner


def on_gpu(dtype: str) -> tuple[Planner, TrainerState]:
    """The planner on the GPU, and the state of its adapter."""
    planner = make_planner("prefix_tree")
    adapter = {name: parameter.detach().clone() for name, parameter in planner.parameters.items()}
    planner.place(torch.device("cuda"), torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    return planner, initial_state("run", planner.weights, adapter)


def step_on_gpu(samples: list[Sample], dtype: str, **changes: Any) -> tuple[TrainerState, dict[str, float]]:
    """A step without clipping: a tenth of the gradient is then the first moment."""
    planner, state = on_gpu(dtype)
    hyper = training(max_grad_norm=1e9, kl=kl(BETA), entropy_coefficient=0.05, dtype=dtype, **changes)
    batch = in_memory(samples, hyper, temperature=TEMPERATURE, response_limit=RESPONSE_LIMIT)
    return take_step(planner, state, StepInputs(batch), no_progress)


def formula_gradient(samples: list[Sample]) -> torch.Tensor:
    """The same gradient as the papers write it, one sample at a time, on the CPU in fp64."""
    planner = make_planner("sdpa")
    for parameter in planner.model.parameters():
        parameter.data = parameter.data.double()
    turns: list[Turn] = formula_turns(planner, samples, spread(samples, 0.0, seed=7))
    formula_loss(turns, training(kl=kl(BETA), entropy_coefficient=0.05), RESPONSE_LIMIT).backward()
    return torch.cat([p.grad.flatten() for p in planner.parameters.values() if p.grad is not None])


def first_moment(state: TrainerState) -> torch.Tensor:
    return torch.cat([moment.flatten() for moment in state.optimiser.exp_avg.values()]).double()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 0.05)])
@pytest.mark.parametrize("options", [{}, {"micro_batch_tokens": 40}, {"gradient_checkpointing": True}])
def test_the_step_on_a_gpu_has_the_formulas_gradient(dtype: str, tolerance: float, options: dict[str, Any]) -> None:
    samples = random_samples(3, groups=3, rollouts=8, vocabulary=VOCABULARY)
    state, metrics = step_on_gpu(samples, dtype, **options)
    expected = formula_gradient(samples)
    assert float((10 * first_moment(state) - expected).norm() / expected.norm()) < tolerance
    assert metrics["peak_memory_bytes"] > 0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_step_on_a_gpu_repeats_to_the_byte_and_leaves_a_state_of_the_cpu(dtype: str) -> None:
    """I5."""
    samples = random_samples(3, groups=3, rollouts=8, vocabulary=VOCABULARY)
    one, two = step_on_gpu(samples, dtype)[0], step_on_gpu(samples, dtype)[0]
    assert one.sha256 == two.sha256
    assert tensors_sha256(optimiser_tensors(one.optimiser)) == tensors_sha256(optimiser_tensors(two.optimiser))
    kept = [*one.tensors.values(), *one.optimiser.exp_avg.values(), *one.optimiser.exp_avg_sq.values()]
    assert {(tensor.device.type, tensor.dtype) for tensor in kept} == {("cpu", torch.float32)}


def test_frozen_matrices_are_stored_in_bf16_and_what_trains_in_fp32() -> None:
    planner, _ = on_gpu("bfloat16")
    trained = {id(parameter) for parameter in planner.parameters.values()}
    for parameter in planner.model.parameters():
        assert parameter.device.type == "cuda"
        bf16 = id(parameter) not in trained and parameter.dim() == 2
        assert parameter.dtype == (torch.bfloat16 if bf16 else torch.float32)


@pytest.mark.parametrize(("bf16", "tolerance"), [(False, 1e-5), (True, 2e-2)])
def test_flex_attention_on_a_gpu_and_block_attention_agree_forward_and_backward(bf16: bool, tolerance: float) -> None:
    tree = build_tree(random_samples(2, groups=3, rollouts=8))
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randn(heads, tree.size, 16, generator=generator) for heads in (4, 2, 2)]
    direction = torch.randn(tree.size, 4, 16, generator=generator)

    def outcome(attention: Any, device: str) -> list[torch.Tensor]:
        leaves = [tensor.to(device).requires_grad_() for tensor in rows]
        out = attention(*leaves, 0.25)
        return [tensor.cpu() for tensor in (out, *torch.autograd.grad(out, leaves, direction.to(device)))]

    expected = outcome(BlockAttention(attention_blocks(tree, 8)), "cpu")
    for found, wanted in zip(outcome(FlexTreeAttention(tree.end.cuda(), bf16), "cuda"), expected, strict=True):
        assert float((found - wanted).norm() / wanted.norm()) < tolerance
