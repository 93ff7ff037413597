"""The gradient over the prefix tree is the gradient of the objective, sample by sample, to rounding."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from flow_grpo.trainer.batch import Lora, Sample, Training
from flow_grpo.trainer.lora import adapter_off, initial_adapter
from flow_grpo.trainer.objective import make_actions
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.step import compute_gradient
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, in_memory, random_samples, sample, training

VOCABULARY = 40


def small_planner(attention: str) -> Planner:
    """A two-layer model in fp64 with an adapter whose B is not zero, so that policy and reference differ."""
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    config._attn_implementation = attention
    model: Any = LlamaForCausalLM(config)
    # transformers' norm computes in fp32 whatever the model's dtype.
    for layer in model.model.layers:
        layer.input_layernorm = layer.post_attention_layernorm = nn.RMSNorm(16, eps=1e-5)
    model.model.norm = nn.RMSNorm(16, eps=1e-5)
    planner = Planner(model.double(), "small", Lora.model_validate(LORA))
    for parameter in planner.parameters.values():
        parameter.data = torch.randn(parameter.shape, dtype=torch.float64) * 0.3
    return planner


@pytest.fixture(scope="module")
def tree_planner() -> Planner:
    return small_planner("prefix_tree")


@pytest.fixture(scope="module")
def plain_planner() -> Planner:
    return small_planner("sdpa")


def sequence_logprobs(planner: Planner, s: Sample, temperature: float) -> torch.Tensor:
    """(|a|, vocabulary) log-probs at the sampled positions, by one plain pass over one sequence."""
    logits = planner.model(input_ids=torch.tensor([s.tokens]), use_cache=False).logits[0]
    return torch.log_softmax(logits[len(s.prompt) - 1 : -1] / temperature, dim=-1)


def reference_loss(planner: Planner, samples: list[Sample], hyper: Training, temperature: float) -> torch.Tensor:
    """The formula of design 8, written down as it stands there: nested sums over groups, rollouts, turns, tokens."""
    objective = torch.zeros((), dtype=torch.float64)
    actions = make_actions(samples, hyper, torch.float64)
    advantage = {(s.group, s.rollout): float(actions.advantage[actions.sample == i][0]) for i, s in enumerate(samples)}
    groups = sorted({s.group for s in samples})
    for group in groups:
        rollouts = sorted({s.rollout for s in samples if s.group == group})
        for rollout in rollouts:
            turns = [s for s in samples if (s.group, s.rollout) == (group, rollout)]
            for turn in turns:
                logprobs = sequence_logprobs(planner, turn, temperature)
                with torch.no_grad(), adapter_off(planner.model):
                    base = sequence_logprobs(planner, turn, temperature)
                for j, token in enumerate(turn.response):
                    a = advantage[group, rollout]
                    ratio = (logprobs[j, token] - logprobs[j, token].detach()).exp()
                    d = base[j, token] - logprobs[j, token]
                    entropy = -(logprobs[j].exp() * logprobs[j]).sum()
                    clipped = ratio.clamp(1 - hyper.clip_low, 1 + hyper.clip_high)
                    term = torch.min(ratio * a, clipped * a)
                    term = term - hyper.kl_coefficient * (d.exp() - d - 1) + hyper.entropy_coefficient * entropy
                    if hyper.aggregation == "paper":
                        weight = 1 / len(groups) / len(rollouts) / len(turns) / len(turn.response)
                    else:
                        weight = 1 / sum(len(s.response) for s in samples)
                    objective = objective + weight * term
    return -objective


def assert_same_gradient(tree: Planner, plain: Planner, samples: list[Sample], **changes: Any) -> None:
    hyper = training(kl_coefficient=0.1, entropy_coefficient=0.05, **changes)
    batch = in_memory(samples, hyper, temperature=0.7)
    gradient = compute_gradient(tree, samples, make_actions(samples, hyper, torch.float64), batch, no_progress)
    for parameter in plain.parameters.values():
        parameter.grad = None
    loss = reference_loss(plain, samples, hyper, 0.7)
    loss.backward()
    torch.testing.assert_close(-gradient.tokens.objective.sum(), loss.detach(), rtol=1e-9, atol=1e-12)
    for name, parameter in plain.parameters.items():
        torch.testing.assert_close(tree.parameters[name].grad, parameter.grad, rtol=1e-7, atol=1e-11)


turns = st.lists(st.integers(0, 3), min_size=1, max_size=5)
rollouts = st.lists(st.tuples(turns, turns, st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=4)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(rollouts, min_size=1, max_size=2), budget=st.sampled_from([1, 12, 4096]))
def test_tree_gradient_equals_per_sample_gradient(
    tree_planner: Planner, plain_planner: Planner, groups: list[Any], budget: int
) -> None:
    # Few distinct tokens: random trees, with duplicates, shared and ragged prefixes.
    samples = [
        sample(g, r, 1, prompt, response, reward)
        for g, group in enumerate(groups)
        for r, (prompt, response, reward) in enumerate(group)
    ]
    assert_same_gradient(tree_planner, plain_planner, samples, micro_batch_tokens=budget)


@pytest.mark.parametrize("aggregation", ["paper", "token-mean"])
@pytest.mark.parametrize("budget", [30, 4096])
def test_multi_turn_gradient_equals_the_formula(
    tree_planner: Planner, plain_planner: Planner, aggregation: str, budget: int
) -> None:
    samples = random_samples(2, vocabulary=VOCABULARY)
    assert_same_gradient(tree_planner, plain_planner, samples, aggregation=aggregation, micro_batch_tokens=budget)


def test_tree_of_more_nodes_than_a_block(tree_planner: Planner, plain_planner: Planner) -> None:
    samples = random_samples(3, groups=3, rollouts=8, vocabulary=VOCABULARY)
    assert_same_gradient(tree_planner, plain_planner, samples)


def test_adapter_off_is_the_base_model_to_the_bit(tiny_model: Path, planner: Planner) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32, attn_implementation="eager")
    planner.set_adapter({name: torch.ones(shape) for name, shape in planner.shapes().items()})
    planner.model.config._attn_implementation = "eager"
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad(), adapter_off(planner.model):
        assert torch.equal(planner.model(input_ids=ids).logits, base(input_ids=ids).logits)
    with torch.no_grad():
        assert not torch.equal(planner.model(input_ids=ids).logits, base(input_ids=ids).logits)


def test_policy_zero_equals_the_base(planner: Planner) -> None:
    samples = random_samples(4)
    planner.set_adapter(initial_adapter(planner.shapes(), run_seed=1))
    hyper = training()
    gradient = compute_gradient(planner, samples, make_actions(samples, hyper), in_memory(samples), no_progress)
    assert float(gradient.tokens.kl.abs().max()) < 1e-6
    assert gradient.norm > 0
