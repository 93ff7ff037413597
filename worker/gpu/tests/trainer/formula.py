"""The objective written down as the papers write it, in fp64, one rollout and one token at a time: slow and obvious."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

import torch

from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.sample import Sample

Zero = torch.zeros((), dtype=torch.float64)


@dataclass(frozen=True)
class Turn:
    """A sample with log-probs of its tokens, (|a|,) each, and the entropies where they were sampled, (|a|,)."""

    sample: Sample
    logprob: torch.Tensor
    old: torch.Tensor
    reference: torch.Tensor
    entropy: torch.Tensor


def advantage(samples: Sequence[Sample], of: Sample, mode: str) -> float:
    """Advantage of a sample's rollout. fp32 would round: the statistics of rewards are taken in fp64 here."""
    rows = [s.reward for s in samples if s.group == of.group]
    rewards = list({s.rollout: s.reward for s in samples if s.group == of.group}.values())
    others = {s.rollout: s.reward for s in samples if s.group == of.group and s.rollout != of.rollout}
    match mode:
        case "trajectory":
            return (of.reward - mean(rewards)) / (stdev(rewards) + 1e-6)
        case "turn-rows":
            return (of.reward - mean(rows)) / (stdev(rows) + 1e-6)
        case "no-std":
            return of.reward - mean(rewards)
        case "leave-one-out":
            return of.reward - mean(others.values())
    raise AssertionError(mode)


def loss(turns: Sequence[Turn], hyper: FlowGrpo, response_limit: int) -> torch.Tensor:
    """-J."""
    samples = [turn.sample for turn in turns]
    groups = sorted({s.group for s in samples})
    total = sum(len(s.response) for s in samples if not masked(s, hyper))
    objective = Zero
    for group in groups:
        rollouts = sorted({s.rollout for s in samples if s.group == group})
        for rollout in rollouts:
            own = [turn for turn in turns if (turn.sample.group, turn.sample.rollout) == (group, rollout)]
            own = [turn for turn in own if turn.sample.response and not masked(turn.sample, hyper)]
            for turn in own:
                length = len(turn.sample.response)
                divisor = {
                    "paper": len(groups) * len(rollouts) * len(own) * length,
                    "token-mean": total,
                    "dr-grpo": len(groups) * hyper.group_size * response_limit,
                }[hyper.aggregation]
                a = advantage(samples, turn.sample, hyper.advantage)
                for j in range(length):
                    objective = objective + token_term(turn, j, a, hyper) / divisor
    return -objective


def masked(sample: Sample, hyper: FlowGrpo) -> bool:
    """Whether the response is left out."""
    return hyper.truncated_responses == "mask" and sample.truncated


def token_term(turn: Turn, j: int, a: float, hyper: FlowGrpo) -> torch.Tensor:
    """What token j of the turn adds, before the aggregation."""
    ratios = (turn.logprob - turn.old).exp()
    policy = importance(turn, j, hyper) * policy_term(turn, ratios, j, a, hyper)
    d = turn.reference[j] - turn.logprob[j]
    kl = {"k1": -d, "k2": d**2 / 2, "k3": d.exp() - d - 1}[hyper.kl.estimator]
    if hyper.kl.unbiased:
        kl = ratios[j] * kl
    return policy - hyper.kl.coefficient * kl + hyper.entropy_coefficient * turn.entropy[j]


def policy_term(turn: Turn, ratios: torch.Tensor, j: int, a: float, hyper: FlowGrpo) -> torch.Tensor:
    """Clipped ratio, GSPO or CISPO."""
    rule = hyper.policy_loss
    if rule.kind == "cispo":
        return min(float(ratios[j].detach()), rule.high) * a * turn.logprob[j]
    ratio = ratios[j]
    if rule.kind == "gspo":
        ratio = ratios.prod() ** (1 / len(ratios))
    term = torch.min(ratio * a, ratio.clamp(1 - rule.low, 1 + rule.high) * a)
    if rule.kind == "clip" and rule.dual is not None and a < 0:
        term = torch.max(term, torch.tensor(rule.dual * a, dtype=torch.float64))
    return term


def importance(turn: Turn, j: int, hyper: FlowGrpo) -> float:
    """Truncated importance weight."""
    sampling = hyper.importance_sampling
    if sampling.level == "none":
        return 1.0
    differences = [float(turn.old[k]) - turn.sample.logprobs[k] for k in range(len(turn.sample.response))]
    return min(math.exp(differences[j] if sampling.level == "token" else sum(differences)), sampling.cap)
