"""Flow-GRPO's objective (AgentFlow, arXiv 2510.05592).

G rollouts of a query with rewards R_1..R_G give one advantage per trajectory, broadcast to every planner token of
every turn of rollout i. Each turn t is a single-turn sample with its own prompt and response a_it. The objective is

    J = 1/B sum_groups 1/G sum_i 1/T_i sum_t 1/|a_it| sum_j
            [ min(r A_i, clip(r, 1 - eps_low, 1 + eps_high) A_i) - beta k3(pi, pi_ref) + c H ]

with r = pi / pi_old of token j, k3 the estimator exp(d) - d - 1 of the KL divergence from the reference policy
(d = log pi_ref - log pi) and H the entropy of the token's distribution. The loss is -J.

All here is a pure function of per-token vectors: the model is elsewhere (gradient.py), and so are the advantages
(advantage.py) and the weights 1/B 1/G 1/T 1/|a| (actions.py). Shapes: M tokens of some whole samples. Units: nats.
"""

from dataclasses import dataclass

import torch

from flow_grpo.trainer.actions import Actions
from flow_grpo.trainer.hyper_parameters import Clip, FlowGrpo, ImportanceSampling, Kl, PolicyLoss


@dataclass(frozen=True)
class LogProbs:
    """Log-probabilities of the actions at the sampling temperature, each of shape (M,)."""

    policy: torch.Tensor
    """Of the policy that is trained: what the objective is differentiated by."""
    old: torch.Tensor
    """Of the policy before the first update on this batch, without gradient."""
    reference: torch.Tensor | None
    """Of the reference policy, without gradient; None where there is no KL term."""


@dataclass(frozen=True)
class Terms:
    """The objective's parts per token, each of shape (M,)."""

    objective: torch.Tensor
    """Weighted: J is the sum."""
    kl: torch.Tensor
    clipped: torch.Tensor
    """Whether a clip took the token's gradient away, bool."""
    importance_capped: torch.Tensor
    """Whether the importance weight met its cap, bool."""


def flow_grpo_terms(logprobs: LogProbs, entropy: torch.Tensor, actions: Actions, training: FlowGrpo) -> Terms:
    """Terms of the Flow-GRPO objective. entropy: (M,), of each token's distribution."""
    log_ratio = logprobs.policy - logprobs.old
    policy, clipped = policy_term(log_ratio, logprobs.policy, actions, training.policy_loss)
    importance, capped = importance_weight(logprobs.old, actions, training.importance_sampling)
    kl = torch.zeros_like(entropy)
    if logprobs.reference is not None:
        kl = kl_term(logprobs.policy, logprobs.reference, log_ratio, training.kl)
    term = importance * policy - training.kl.coefficient * kl + training.entropy_coefficient * entropy
    return Terms(actions.weight * term, kl, clipped, capped)


def sft_terms(logprobs: LogProbs, actions: Actions) -> Terms:
    """Terms of supervised fine-tuning: the mean log-likelihood of the recorded tokens."""
    none = torch.zeros_like(actions.weight)
    never = torch.zeros_like(actions.sample, dtype=torch.bool)
    return Terms(actions.weight * logprobs.policy, none, never, never)


def policy_term(
    log_ratio: torch.Tensor, logprob: torch.Tensor, actions: Actions, loss: PolicyLoss
) -> tuple[torch.Tensor, torch.Tensor]:
    """Policy-gradient term and whether a clip took its gradient away. All of shape (M,)."""
    advantage = actions.advantage
    if loss.kind == "cispo":
        return cispo_term(log_ratio.exp(), logprob, advantage, loss.high)
    if loss.kind == "gspo":
        ratio = mean_per_sample(log_ratio, actions.sample).exp()
        return clipped_term(ratio, advantage, loss.low, loss.high)
    return dual_clipped_term(log_ratio.exp(), advantage, loss)


def clipped_term(
    ratio: torch.Tensor, advantage: torch.Tensor, low: float, high: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """min(r A, clip(r, 1 - low, 1 + high) A) (PPO, arXiv 1707.06347; low != high: DAPO, arXiv 2503.14476)."""
    free = ratio * advantage
    bounded = ratio.clamp(1 - low, 1 + high) * advantage
    return torch.minimum(free, bounded), bounded < free


def dual_clipped_term(ratio: torch.Tensor, advantage: torch.Tensor, clip: Clip) -> tuple[torch.Tensor, torch.Tensor]:
    """The clipped term, for A < 0 no lower than dual * A (dual clip, arXiv 1912.09729)."""
    term, clipped = clipped_term(ratio, advantage, clip.low, clip.high)
    if clip.dual is None:
        return term, clipped
    floor = clip.dual * advantage
    below = (advantage < 0) & (floor > term)
    return torch.where(below, floor, term), clipped | below


def cispo_term(
    ratio: torch.Tensor, logprob: torch.Tensor, advantage: torch.Tensor, high: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """min(r, high) A log pi with no gradient through r (CISPO, arXiv 2506.13585): no token loses its gradient."""
    weight = ratio.detach().clamp(max=high)
    return weight * advantage * logprob, torch.zeros_like(ratio, dtype=torch.bool)


def mean_per_sample(values: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
    """Each token's sample's mean of `values` (M,): the log of GSPO's sequence ratio (arXiv 2507.18071)."""
    total, count = _per_sample(values, sample)
    return total / count


def sum_per_sample(values: torch.Tensor, sample: torch.Tensor) -> torch.Tensor:
    """Each token's sample's sum of `values` (M,)."""
    return _per_sample(values, sample)[0]


def kl_term(logprob: torch.Tensor, reference: torch.Tensor, log_ratio: torch.Tensor, kl: Kl) -> torch.Tensor:
    """Estimate of KL(pi, pi_ref) per token (M,), times the ratio where its gradient is to be the divergence's.

    Without the ratio the gradient of k1 is that of a score, zero on average, and that of k2 and k3 is the
    divergence's only where the tokens were sampled from the current policy.
    """
    estimate = KL_ESTIMATORS[kl.estimator](reference - logprob)
    return log_ratio.exp() * estimate if kl.unbiased else estimate


# Of d = log pi_ref - log pi (Schulman, "Approximating KL divergence", 2020).
KL_ESTIMATORS = {
    "k1": lambda d: -d,
    "k2": lambda d: d.square() / 2,
    "k3": lambda d: d.exp() - d - 1,
}


def importance_weight(
    old: torch.Tensor, actions: Actions, sampling: ImportanceSampling
) -> tuple[torch.Tensor, torch.Tensor]:
    """min(pi_old / pi_sampler, cap), of the token or its whole response, and whether the cap acted. All (M,).

    Truncated importance sampling for a sampler whose arithmetic differs from the trainer's: what was sampled from
    pi_sampler counts as if it had been sampled from pi_old (Espeholt et al., arXiv 1802.01561, eq. 1).
    """
    if sampling.level == "none":
        return torch.ones_like(old), torch.zeros_like(old, dtype=torch.bool)
    log_weight = old - actions.sampler_logprob
    if sampling.level == "sequence":
        log_weight = sum_per_sample(log_weight, actions.sample)
    weight = log_weight.exp()
    return weight.clamp(max=sampling.cap), weight > sampling.cap


def _per_sample(values: torch.Tensor, sample: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each token's sample's sum and number of tokens, (M,) each."""
    _, place = torch.unique_consecutive(sample, return_inverse=True)
    size = int(place[-1]) + 1 if len(place) else 0
    total = values.new_zeros(size).index_add(0, place, values)
    return total[place], torch.bincount(place, minlength=size)[place].to(values.dtype)
