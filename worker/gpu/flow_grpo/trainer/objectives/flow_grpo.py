"""Flow-GRPO's objective (AgentFlow, arXiv 2510.05592).

G rollouts of a query with rewards R_1..R_G give one advantage per trajectory, broadcast to every planner token of
every turn of rollout i. Each turn t is a single-turn sample with its own prompt and response a_it. The objective is

    J = 1/B sum_groups 1/G sum_i 1/T_i sum_t 1/|a_it| sum_j
            [ min(r A_i, clip(r, 1 - eps_low, 1 + eps_high) A_i) - beta k3(pi, pi_ref) + c H ]

with r = pi / pi_old of token j, k3 the estimator exp(d) - d - 1 of the KL divergence from the reference policy
(d = log pi_ref - log pi) and H the entropy of the token's distribution. The loss is -J.

All here is a pure function of per-token vectors: the model is elsewhere (gradient.py), and so are the advantages
(advantage.py). Shapes: M tokens of some whole samples. Units: nats.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator

from flow_grpo.trainer.actions import Actions, Taught, token_mean_weights
from flow_grpo.trainer.advantage import advantages, group_rewards, groups_without_variance
from flow_grpo.trainer.hyper_parameters import Strict
from flow_grpo.trainer.objectives.objective import LogProbs, Objective, Terms
from flow_grpo.trainer.sample import Sample


class Clip(Strict):
    """PPO's clipped ratio per token; `dual` bounds the term of a token with a negative advantage (dual clip)."""

    kind: Literal["clip"]
    low: float = Field(gt=0)
    high: float = Field(gt=0)
    dual: float | None = Field(gt=1)


class Gspo(Strict):
    """One ratio per response: the geometric mean of its tokens' ratios."""

    kind: Literal["gspo"]
    low: float = Field(gt=0)
    high: float = Field(gt=0)


class Cispo(Strict):
    """Log-probs weighted by a ratio that is capped and carries no gradient."""

    kind: Literal["cispo"]
    high: float = Field(gt=0)


PolicyLoss = Annotated[Clip | Gspo | Cispo, Field(discriminator="kind")]


class Kl(Strict):
    """Divergence from the reference policy. With coefficient 0 there is no term and no pass of the reference."""

    coefficient: float = Field(ge=0)
    estimator: Literal["k1", "k2", "k3"]
    reference: str
    """`base`, or the name of a policy of the same kind of weights."""
    unbiased: bool


class NoImportanceSampling(Strict):
    """The sampler's log-probs are compared with the trainer's, and weigh nothing."""

    level: Literal["none"]


class TruncatedImportanceSampling(Strict):
    """Terms are weighted by min(pi_old / pi_sampler, cap), of each token or of the whole response."""

    level: Literal["token", "sequence"]
    cap: float = Field(ge=1)


ImportanceSampling = Annotated[NoImportanceSampling | TruncatedImportanceSampling, Field(discriminator="level")]


class OverSample(Strict):
    """Groups without variance were left out, further queries drawn in their place, up to so many times as many."""

    over_sample: float = Field(gt=1)


class FlowGrpo(Objective):
    """Training by Flow-GRPO."""

    objective: Literal["flow-grpo"]
    queries_per_step: int = Field(ge=1)
    group_size: int = Field(ge=2)
    advantage: Literal["trajectory", "turn-rows", "no-std", "leave-one-out"]
    aggregation: Literal["paper", "token-mean", "dr-grpo"]
    groups: Literal["keep", "drop-zero-variance"] | OverSample
    policy_loss: PolicyLoss
    kl: Kl
    entropy_coefficient: float = Field(ge=0)
    importance_sampling: ImportanceSampling
    truncated_responses: Literal["keep", "mask"]

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "FlowGrpo":
        if self.mini_batches > self.queries_per_step:
            raise ValueError(f"mini_batches is more than queries_per_step ({self.queries_per_step})")
        if self.kl.coefficient == 0 and (self.kl.unbiased or self.kl.reference != "base"):
            raise ValueError("kl.coefficient is 0, so a reference or an unbiased gradient has no effect")
        if self.weights.kind == "lora" and self.weights.base == "nf4" and self.importance_sampling.level == "none":
            raise ValueError("weights.base is nf4, not what is sampled from: importance_sampling must not be none")
        return self

    @property
    def compares_rollouts(self) -> bool:
        """See Objective."""
        return True

    @property
    def needs_entropy(self) -> bool:
        """See Objective."""
        return self.entropy_coefficient > 0

    @property
    def needs_reference(self) -> bool:
        """See Objective."""
        return self.kl.coefficient != 0

    def entering(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples of the groups that are worth a step; the others leave B too."""
        dropped = set[int]() if self.groups == "keep" else groups_without_variance(samples)
        return [sample for sample in samples if sample.group not in dropped]

    def advantages(self, samples: Sequence[Sample]) -> Mapping[tuple[int, int], float]:
        """See Objective."""
        return advantages(samples, self.advantage)

    def taught(self, samples: Sequence[Sample], response_limit: int) -> Taught:
        """The samples that have tokens and are not masked. Advantages and weights are taken over all samples."""
        taught = [sample for sample in samples if teaches(sample, self)]
        by_rollout = self.advantages(samples)
        advantage = [by_rollout[s.group, s.rollout] for s in taught]
        return Taught(taught, advantage, sample_weights(samples, taught, self, response_limit))

    def terms(self, logprobs: LogProbs, entropy: torch.Tensor, actions: Actions) -> Terms:
        """Terms of the Flow-GRPO objective. entropy: (M,), of each token's distribution."""
        log_ratio = logprobs.policy - logprobs.old
        policy, clipped = policy_term(log_ratio, logprobs.policy, actions, self.policy_loss)
        importance, capped = importance_weight(logprobs.old, actions, self.importance_sampling)
        kl = torch.zeros_like(entropy)
        if logprobs.reference is not None:
            kl = kl_term(logprobs.policy, logprobs.reference, log_ratio, self.kl)
        term = importance * policy - self.kl.coefficient * kl + self.entropy_coefficient * entropy
        return Terms(actions.weight * term, kl, clipped, capped)


def sample_weights(
    samples: Sequence[Sample], taught: Sequence[Sample], training: FlowGrpo, response_limit: int
) -> list[float]:
    """Factor of each token of a taught sample in the aggregation; the normaliser is the step's, never a part's.

    `paper`: 1/B 1/G 1/T_i 1/|a_it| with G the scored rollouts of the group (AgentFlow, arXiv 2510.05592).
    `token-mean`: 1 / sampled tokens of the step (DAPO, arXiv 2503.14476).
    `dr-grpo`: 1/B 1/G 1/L with G the configured group size and L the response limit: a constant instead of each
    response's own length (Dr. GRPO, arXiv 2503.20783).

    A sample that does not teach counts neither among the turns of its rollout nor among the tokens; its trajectory
    still counts in G, and its reward in the group's statistics.
    """
    if training.aggregation == "token-mean":
        return token_mean_weights(taught)
    rollouts = {group: len(rewards) for group, rewards in group_rewards(samples).items()}
    turns = Counter((s.group, s.rollout) for s in taught)

    def weight(s: Sample) -> float:
        if training.aggregation == "dr-grpo":
            return 1 / (len(rollouts) * training.group_size * response_limit)
        return 1 / (len(rollouts) * rollouts[s.group] * turns[s.group, s.rollout] * len(s.response))

    return [weight(s) for s in taught]


def teaches(sample: Sample, training: FlowGrpo) -> bool:
    """Whether the sample's tokens enter the objective: it has some, and is not masked."""
    return bool(sample.response) and not (training.truncated_responses == "mask" and sample.truncated)


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
