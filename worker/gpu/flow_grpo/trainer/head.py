"""Log-probabilities of sampled tokens and their derivatives by the last hidden states, in closed form.

With logits z = W h / T and p = softmax(z), token a has d log p_a / d h = (W_a - W^T p) / T, and the entropy has
d H / d h = -W^T (p (log p + H)) / T. So one pass over the vocabulary gives the values and all that is needed to
differentiate any objective of them later, and no logits outlive their piece.

Letters of shapes: R rows (nodes at which any token was sampled), M sampled tokens, D hidden size, C vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch

from flow_grpo.trainer.products import wide_product

# Logits held at once, whatever the vocabulary and the micro-batch: in fp32 25 MB, near a CPU's caches, and 512 MB on an
# accelerator, whose products need many rows.
LOGITS_AT_ONCE = 128 * 49_152
LOGITS_AT_ONCE_ACCELERATED = 2**27


@dataclass(frozen=True)
class Sampled:
    """Which tokens were sampled where."""

    row: torch.Tensor
    """(M,) int64: the row whose logits predict the token."""
    token: torch.Tensor
    """(M,) int64."""


@dataclass(frozen=True)
class HeadValues:
    """Values of one pass; without derivatives the last two are None."""

    logprob: torch.Tensor
    """(M,)"""
    entropy: torch.Tensor
    """(R,) of each row's distribution, in nats."""
    expected: torch.Tensor | None
    """(R, D): W^T p / T."""
    entropy_slope: torch.Tensor | None
    """(R, D): d H / d h; None where no entropy bonus asks for it."""


def head_values(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    sampled: Sampled,
    temperature: float,
    *,
    derivatives: bool,
    entropy_slope: bool = False,
) -> HeadValues:
    """One pass of the head. hidden: (R, D), without gradient; weight: (C, D), in the dtype of the products."""
    rows, width = hidden.shape
    logprob = hidden.new_empty(len(sampled.token), dtype=torch.promote_types(hidden.dtype, torch.float32))
    entropy = logprob.new_empty(rows)
    expected = logprob.new_empty(rows, width) if derivatives else None
    slope = logprob.new_empty(rows, width) if derivatives and entropy_slope else None
    for piece, chosen in _pieces(rows, sampled, rows_at_once(len(weight), hidden.device.type)):
        row, token = sampled.row[chosen] - piece.start, sampled.token[chosen]
        # One exponential per logit: e = exp(z - max), so p = e / total, and log p = z - max - log total.
        z = wide_product(hidden[piece] / temperature, weight).to(logprob.dtype)
        z -= z.amax(dim=-1, keepdim=True)
        e = z.exp()
        total = e.sum(dim=-1, keepdim=True)
        logprob[chosen] = z[row, token] - total.log()[row, 0]
        entropy[piece] = (total.log() - _dot(e, z) / total)[:, 0]
        if expected is not None:
            expected[piece] = wide_product(e, weight.t()) / (total * temperature)
        if slope is not None:
            inner = e * (z - total.log() + entropy[piece, None])
            slope[piece] = -wide_product(inner, weight.t()) / (total * temperature)
    return HeadValues(logprob, entropy, expected, slope)


def add_weight_gradient(
    into: torch.Tensor,
    hidden: torch.Tensor,
    weight: torch.Tensor,
    sampled: Sampled,
    temperature: float,
    by_logprob: torch.Tensor,
    by_entropy: torch.Tensor,
) -> None:
    """Add to `into` (C, D) the gradient by the weight of a function of the actions' log-probs and entropies.

    From the function's own gradient by them, (M,). Logits are made again, a piece at a time: their gradient is that of
    log p_a, which is 1 at a and -p everywhere, and that of the entropy, -p (log p + H). hidden: (R, D), no gradient.
    """
    per_row = by_logprob.new_zeros(len(hidden)).index_add(0, sampled.row, by_logprob)
    entropy_per_row = by_entropy.new_zeros(len(hidden)).index_add(0, sampled.row, by_entropy)
    for piece, chosen in _pieces(len(hidden), sampled, rows_at_once(len(weight), hidden.device.type)):
        place = (sampled.row[chosen] - piece.start, sampled.token[chosen])
        z = wide_product(hidden[piece] / temperature, weight).to(by_logprob.dtype)
        logp = torch.log_softmax(z, dim=-1)
        p = logp.exp()
        entropy = -_dot(p, logp)
        dz = p * (-per_row[piece, None] - (logp + entropy) * entropy_per_row[piece, None])
        dz.index_put_(place, by_logprob[chosen], accumulate=True)
        into += wide_product(dz.t(), hidden[piece].t().to(weight.dtype)) / temperature


def rows_at_once(vocabulary: int, device: str) -> int:
    """Rows whose logits are held at once on a type of device."""
    return max(1, (LOGITS_AT_ONCE if device == "cpu" else LOGITS_AT_ONCE_ACCELERATED) // vocabulary)


def _pieces(rows: int, sampled: Sampled, size: int) -> Iterator[tuple[slice, torch.Tensor]]:
    """Cut the rows into pieces of `size`; with each piece, which tokens were sampled there."""
    order = torch.argsort(sampled.row, stable=True)
    starts = torch.arange(0, rows, size, device=order.device)
    # Waits once for an accelerator, not for every piece.
    bounds = [*torch.searchsorted(sampled.row[order], starts).tolist(), len(order)]
    for start, (first, last) in zip(range(0, rows, size), pairwise(bounds), strict=True):
        yield slice(start, min(start + size, rows)), order[first:last]


def _dot(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Products of rows, without a matrix in between: two of (R, C) -> (R, 1)."""
    return torch.bmm(one[:, None], other[:, :, None])[:, 0]


def hidden_gradient(
    values: HeadValues,
    weight: torch.Tensor,
    sampled: Sampled,
    temperature: float,
    by_logprob: torch.Tensor,
    by_entropy: torch.Tensor,
) -> torch.Tensor:
    """Gradient (R, D) of a function of the actions' log-probs and entropies, from its own gradient by them, (M,)."""
    assert values.expected is not None
    rows = len(values.entropy)
    per_row = by_logprob.new_zeros(rows).index_add(0, sampled.row, by_logprob)
    chosen = weight[sampled.token].to(by_logprob.dtype) * (by_logprob / temperature)[:, None]
    gradient = torch.zeros_like(values.expected).index_add(0, sampled.row, chosen) - values.expected * per_row[:, None]
    if values.entropy_slope is not None:
        entropy_per_row = by_entropy.new_zeros(rows).index_add(0, sampled.row, by_entropy)
        gradient += values.entropy_slope * entropy_per_row[:, None]
    return gradient
