"""The gradient over the prefix tree is the gradient of the objective, sample by sample, to rounding."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from flow_grpo.trainer.actions import Actions, make_actions
from flow_grpo.trainer.gradient import Given
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.lora import adapter_off, initial_adapter
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.state import initial_state
from flow_grpo.trainer.step import StepInputs, Work, accumulate, rule_of, take_step
from tests.trainer.formula import Turn
from tests.trainer.formula import loss as formula_loss
from tests.trainer.run import no_progress
from tests.trainer.samples import CLIP, LORA, in_memory, kl, random_samples, sample, sft, training

VOCABULARY = 40
TEMPERATURE = 0.7
RESPONSE_LIMIT = 6


def small_planner(attention: str, base: str = "full-precision") -> Planner:
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
    planner = Planner(model.double(), "small", Lora.model_validate({**LORA, "base": base}), base={})
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
    return torch.log_softmax(logits[len(s.prompt) - 1 : len(s.tokens) - 1] / temperature, dim=-1)


def spread(samples: list[Sample], scale: float, seed: int) -> list[torch.Tensor]:
    """Differences of log-probs, per sample (|a|,): what a policy looks like that has moved on."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(len(s.response), generator=generator, dtype=torch.float64) * scale for s in samples]


def formula_turns(planner: Planner, samples: list[Sample], moved: list[torch.Tensor]) -> list[Turn]:
    turns: list[Turn] = []
    for s, difference in zip(samples, moved, strict=True):
        logprobs = sequence_logprobs(planner, s, TEMPERATURE)
        with torch.no_grad(), adapter_off(planner.model):
            base = sequence_logprobs(planner, s, TEMPERATURE)
        token = torch.tensor(s.response, dtype=torch.int64)
        place = torch.arange(len(token))
        logprob = logprobs[place, token]
        entropy = -(logprobs.exp() * logprobs).sum(-1)
        turns.append(Turn(s, logprob, logprob.detach() - difference, base[place, token], entropy))
    return turns


def tree_gradient(
    tree: Planner, samples: list[Sample], hyper: FlowGrpo, given: Callable[[list[Sample], Actions], Given]
) -> torch.Tensor:
    """Leaves the gradient over the prefix tree in `tree`; returns the loss."""
    batch = in_memory(samples, hyper, temperature=TEMPERATURE, response_limit=RESPONSE_LIMIT)
    taught, actions = make_actions(samples, hyper, RESPONSE_LIMIT, torch.float64)
    work = Work(tree, taught, actions, rule_of(batch), hyper.micro_batch_tokens, no_progress)
    results = accumulate(work, work.micro_batches(range(len(taught))), given(taught, actions))
    return -sum((result.terms.objective.sum() for result in results), torch.zeros(()))


def assert_same_gradient(
    tree: Planner, plain: Planner, samples: list[Sample], moved_by: float = 0.0, **changes: Any
) -> None:
    """Loss and gradient of the prefix tree are the formula's, with the old policy `moved_by` nats away per token."""
    hyper = training(**{"kl": kl(0.1), "entropy_coefficient": 0.05, **changes})
    moved = spread(samples, moved_by, seed=7)
    for parameter in plain.parameters.values():
        parameter.grad = None
    turns = formula_turns(plain, samples, moved)
    loss = formula_loss(turns, hyper, RESPONSE_LIMIT)
    loss.backward()

    def given(taught: list[Sample], actions: Actions) -> Given:
        old = torch.cat([turn.old for turn in turns if turn.sample in taught])
        reference = torch.cat([turn.reference for turn in turns if turn.sample in taught])
        return Given(actions, old if moved_by else None, reference)

    # The advantages are fp32, the formula's are fp64.
    torch.testing.assert_close(tree_gradient(tree, samples, hyper, given), loss.detach(), rtol=1e-5, atol=1e-7)
    for name, parameter in plain.parameters.items():
        assert parameter.grad is not None
        torch.testing.assert_close(tree.parameters[name].grad, parameter.grad, rtol=1e-5, atol=1e-7)


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


OBJECTIVES: dict[str, dict[str, Any]] = {
    "paper": {},
    "token-mean": {"aggregation": "token-mean"},
    "dr-grpo": {"aggregation": "dr-grpo"},
    "turn-rows": {"advantage": "turn-rows"},
    "no-std": {"advantage": "no-std"},
    "leave-one-out": {"advantage": "leave-one-out"},
    "without dual clip": {"policy_loss": {**CLIP, "dual": None}},
    "narrow dual clip": {"policy_loss": {**CLIP, "dual": 1.1}},
    "gspo": {"policy_loss": {"kind": "gspo", "low": 0.05, "high": 0.1}},
    "cispo": {"policy_loss": {"kind": "cispo", "high": 1.2}},
    "k1": {"kl": kl(0.2, estimator="k1")},
    "k1 unbiased": {"kl": kl(0.2, estimator="k1", unbiased=True)},
    "k2": {"kl": kl(0.2, estimator="k2")},
    "k2 unbiased": {"kl": kl(0.2, estimator="k2", unbiased=True)},
    "k3 unbiased": {"kl": kl(0.2, unbiased=True)},
    "token importance": {"importance_sampling": {"level": "token", "cap": 1.5}},
    "sequence importance": {"importance_sampling": {"level": "sequence", "cap": 1.5}},
    "masked truncated": {"truncated_responses": "mask"},
    "masked truncated, token-mean": {"truncated_responses": "mask", "aggregation": "token-mean"},
}


def ragged_samples() -> list[Sample]:
    """Turns of different lengths, one empty, one cut off; the sampler's log-probs differ from token to token."""
    samples = random_samples(2, vocabulary=VOCABULARY)
    samples[1] = replace(samples[1], truncated=True)
    samples.insert(3, sample(samples[2].group, samples[2].rollout, 9, [1, 2, 3], [], samples[2].reward))
    noise = spread(samples, 0.8, seed=9)
    return [replace(s, logprobs=tuple((n - 3.5).tolist())) for s, n in zip(samples, noise, strict=True)]


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("moved_by", [0.0, 0.4])
def test_every_objective_equals_its_formula(
    tree_planner: Planner, plain_planner: Planner, name: str, moved_by: float
) -> None:
    assert_same_gradient(tree_planner, plain_planner, ragged_samples(), moved_by, **OBJECTIVES[name])


def test_no_option_is_without_effect(tree_planner: Planner) -> None:
    samples = ragged_samples()
    moved = torch.cat(spread(samples, 1.5, seed=7))

    def given(taught: list[Sample], actions: Actions) -> Given:
        about = actions.sampler_logprob
        return Given(actions, about + moved[: len(about)], about - moved[: len(about)])

    gradients: dict[str, torch.Tensor] = {}
    for name, changes in OBJECTIVES.items():
        hyper = training(**{"kl": kl(0.1), **changes})
        tree_gradient(tree_planner, samples, hyper, given)
        gradients[name] = torch.cat([p.grad.flatten() for p in tree_planner.parameters.values() if p.grad is not None])
    for name, other in combinations(gradients, 2):
        difference = (gradients[name] - gradients[other]).norm() / gradients[name].norm()
        assert difference > 1e-4, f"{name} and {other} have the same gradient"


def test_sft_is_the_mean_log_likelihood(tree_planner: Planner, plain_planner: Planner) -> None:
    samples, hyper = random_samples(2, vocabulary=VOCABULARY), sft()
    for parameter in plain_planner.parameters.values():
        parameter.grad = None
    turns = formula_turns(plain_planner, samples, spread(samples, 0.0, seed=1))
    (-torch.cat([turn.logprob for turn in turns]).mean()).backward()
    taught, actions = make_actions(samples, hyper, RESPONSE_LIMIT, torch.float64)
    rule = rule_of(in_memory(samples, hyper, temperature=TEMPERATURE))
    work = Work(tree_planner, taught, actions, rule, 40, no_progress)
    accumulate(work, work.micro_batches(range(len(taught))), Given(actions, None, None))
    for name, parameter in plain_planner.parameters.items():
        torch.testing.assert_close(tree_planner.parameters[name].grad, parameter.grad, rtol=1e-9, atol=1e-12)


def test_tree_of_more_nodes_than_a_block(tree_planner: Planner, plain_planner: Planner) -> None:
    samples = random_samples(3, groups=3, rollouts=8, vocabulary=VOCABULARY)
    assert_same_gradient(tree_planner, plain_planner, samples)


def test_adapter_off_is_the_base_model_to_the_bit(tiny_model: Path, planner: Planner) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32, attn_implementation="eager")
    planner.set_tensors({name: torch.ones(shape) for name, shape in planner.shapes().items()})
    planner.model.config._attn_implementation = "eager"
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad(), adapter_off(planner.model):
        assert torch.equal(planner.model(input_ids=ids).logits, base(input_ids=ids).logits)
    with torch.no_grad():
        assert not torch.equal(planner.model(input_ids=ids).logits, base(input_ids=ids).logits)


def test_policy_zero_equals_the_base(planner: Planner) -> None:
    state = initial_state("run", planner.weights, initial_adapter(planner.shapes(), run_seed=1))
    _, metrics = take_step(planner, state, StepInputs(in_memory(random_samples(4))), no_progress)
    assert abs(metrics["kl"]) < 1e-6
    assert metrics["gradient_norm"] > 0
