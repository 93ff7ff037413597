"""Our gradient is TRL's on the same ids, weights and rewards, for the objectives that both have.

Gradients are compared, not losses: on-policy the ratio is 1, and equal losses prove nothing. Each objective is tried
on-policy and with old log-probs that differ so much that ratios meet their clips. Gradients are of the whole adapter,
whose B is not zero.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.gradient_step.arms import relative_l2
from bench.gradient_step.trl import Rows, TrlStep, rows_by_turn
from flow_grpo.trainer.actions import make_actions
from flow_grpo.trainer.advantage import advantages
from flow_grpo.trainer.gradient import Given, policy_logprobs
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.lora import adapter_off
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.step import Work, accumulate, rule_of
from tests.trainer.run import no_progress
from tests.trainer.samples import CLIP, LORA, in_memory, kl, sample, training

TEMPERATURE = 0.7
GROUPS, GROUP_SIZE = 2, 4
RESPONSE_LIMIT = 9
# TRL's for a group's deviation; ours is 1e-6.
TRL_EPSILON = 1e-4

TOKEN_MEAN = {"aggregation": "token-mean"}
GSPO = {"policy_loss": {"kind": "gspo", "low": 0.05, "high": 0.08}}
TRL_GSPO = {"loss_type": "grpo", "importance_sampling_level": "sequence", "epsilon": 0.05, "epsilon_high": 0.08}
CISPO = {"policy_loss": {"kind": "cispo", "high": 1.3}, **TOKEN_MEAN}
NO_DUAL = {"policy_loss": {**CLIP, "dual": None}}

# Name: turns per rollout, our hyper-parameters, TRL's options. Without KL unless it is said.
OBJECTIVES: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "paper": (2, NO_DUAL, {"loss_type": "grpo"}),
    "token-mean": (2, {**NO_DUAL, **TOKEN_MEAN}, {"loss_type": "dapo"}),
    "dr-grpo": (1, {**NO_DUAL, "aggregation": "dr-grpo"}, {"loss_type": "dr_grpo"}),
    "no-std": (2, {**NO_DUAL, "advantage": "no-std"}, {"loss_type": "grpo", "scale_rewards": "none"}),
    "dual-clip": (2, {"policy_loss": {**CLIP, "dual": 1.5}}, {"loss_type": "grpo", "delta": 1.5}),
    "gspo": (2, GSPO, TRL_GSPO),
    "cispo": (2, CISPO, {"loss_type": "cispo", "epsilon_high": 1.3}),
    "k3": (2, {**NO_DUAL, "kl": kl(0.1)}, {"loss_type": "grpo", "beta": 0.1, "use_bias_correction_kl": False}),
    "k3-unbiased": (2, {**NO_DUAL, "kl": kl(0.1, unbiased=True)}, {"loss_type": "grpo", "beta": 0.1}),
    "entropy": (2, {**NO_DUAL, **TOKEN_MEAN, "entropy_coefficient": 0.05}, {"loss_type": "dapo", "entropy_coef": 0.05}),
}  # fmt: skip


def ragged_samples(turns: int) -> list[Sample]:
    """Groups that share a trunk and a question each; unequal lengths."""
    generator = torch.Generator().manual_seed(11)

    def tokens(count: int) -> list[int]:
        return torch.randint(4, 1000, (count,), generator=generator).tolist()

    trunk, samples = tokens(12), []
    for group in range(GROUPS):
        query = tokens(3 + group)
        for rollout in range(GROUP_SIZE):
            memory: list[int] = []
            for turn in range(1, turns + 1):
                response = tokens(2 + int(torch.randint(RESPONSE_LIMIT - 2, (1,), generator=generator)))
                samples.append(sample(group, rollout, turn, trunk + query + memory, response, rollout % 3 / 2))
                memory = memory + response[:2] + tokens(2)
    return samples


def random_adapter(shapes: Mapping[str, torch.Size]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {name: torch.randn(shapes[name], generator=generator) * 0.1 for name in sorted(shapes)}


def work_of(planner: Planner, samples: list[Sample], hyper: FlowGrpo) -> Work:
    batch = in_memory(samples, hyper, temperature=TEMPERATURE, response_limit=RESPONSE_LIMIT)
    taught, actions = make_actions(samples, hyper, RESPONSE_LIMIT)
    return Work(planner, taught, actions, rule_of(batch), hyper.micro_batch_tokens, no_progress)


def logprobs_of(work: Work) -> torch.Tensor:
    """(M,) of the planner as it is."""
    (micro,) = work.micro_batches(range(len(work.samples)))
    return policy_logprobs(work.planner, micro, TEMPERATURE, lambda: None)


def with_old(samples: list[Sample], work: Work, moved_by: float) -> list[Sample]:
    """The samples with log-probs `moved_by` nats per token away from the policy's."""
    generator = torch.Generator().manual_seed(5)
    current = logprobs_of(work)
    old = current + torch.randn(current.shape, generator=generator) * moved_by
    parts = old.split([len(s.response) for s in samples])
    return [replace(s, logprobs=tuple(part.tolist())) for s, part in zip(samples, parts, strict=True)]


def our_gradient(work: Work, hyper: FlowGrpo, off_policy: bool) -> dict[str, torch.Tensor]:
    reference = None
    if hyper.kl.coefficient:
        with adapter_off(work.planner.model):
            reference = logprobs_of(work)
    old = work.actions.sampler_logprob if off_policy else None
    accumulate(work, work.micro_batches(range(len(work.samples))), Given(work.actions, old, reference))
    return gradients(work.planner.parameters)


def gradients(parameters: Mapping[str, torch.nn.Parameter]) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        found[name] = parameter.grad.clone()
    return found


@pytest.mark.parametrize("moved_by", [0.0, 0.4], ids=["on-policy", "off-policy"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_equals_that_of_trl(name: str, moved_by: float, planner: Planner, tiny_model: Path) -> None:
    turns, ours, theirs = OBJECTIVES[name]
    hyper = training(**{"group_size": GROUP_SIZE, "kl": kl(0.0), **ours})
    planner.set_tensors(random_adapter(planner.shapes()))
    samples = ragged_samples(turns)
    samples = with_old(samples, work_of(planner, samples, hyper), moved_by)
    own = our_gradient(work_of(planner, samples, hyper), hyper, moved_by > 0)

    rows = rows_by_turn(samples)
    by_rollout = advantages(samples, hyper.advantage)
    given = Rows(rows, GROUP_SIZE, [by_rollout[s.group, s.rollout] for s in rows], old_logprobs=moved_by > 0)
    options = {"epsilon": 0.2, "epsilon_high": 0.3, "temperature": TEMPERATURE, "max_completion_length": RESPONSE_LIMIT}
    trl = TrlStep(tiny_model, Lora.model_validate(LORA), random_adapter, given, len(rows) // 2, **{**options, **theirs})
    trl.accumulate_gradient(masked_only=False)

    assert relative_l2(own, gradients(trl.parameters)) < 1e-5


def test_advantages_are_those_of_trl_but_for_epsilon(tiny_model: Path) -> None:
    rows = rows_by_turn(ragged_samples(1))
    trl = TrlStep(tiny_model, Lora.model_validate(LORA), random_adapter, Rows(rows, GROUP_SIZE), len(rows))
    theirs = trl.inputs()["advantages"]
    by_rollout = advantages(rows, "trajectory")
    deviation = torch.tensor([s.reward for s in rows]).view(GROUPS, -1).std(dim=1).repeat_interleave(GROUP_SIZE)
    ours = torch.tensor([by_rollout[s.group, s.rollout] for s in rows])
    torch.testing.assert_close(ours * (deviation + 1e-6) / (deviation + TRL_EPSILON), theirs, rtol=1e-5, atol=1e-6)
