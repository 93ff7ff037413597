"""Log-probabilities of sampled tokens and their derivatives by the last hidden states, in closed form.

With logits z = W h / T and p = softmax(z), token a has d log p_a / d h = (W_a - W^T p) / T, and the entropy has
d H / d h = -W^T (p (log p + H)) / T. So one pass over the vocabulary gives the values and all that is needed to
differentiate any objective of them later, and no logits outlive their piece.

Letters of shapes: R rows (nodes at which any token was sampled), M sampled tokens, D hidden size, C vocabulary.
"""

from dataclasses import dataclass

import torch

from flow_grpo.trainer.products import product

# Logits held at once: 25 MB in fp32, whatever the vocabulary and the micro-batch.
LOGITS_AT_ONCE = 128 * 49_152


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
    logprob = torch.empty(len(sampled.token), dtype=torch.promote_types(hidden.dtype, torch.float32))
    entropy = logprob.new_empty(rows)
    expected = logprob.new_empty(rows, width) if derivatives else None
    slope = logprob.new_empty(rows, width) if derivatives and entropy_slope else None
    order = torch.argsort(sampled.row, stable=True)
    step = max(1, LOGITS_AT_ONCE // len(weight))
    for start in range(0, rows, step):
        piece = slice(start, min(start + step, rows))
        bounds = torch.searchsorted(sampled.row[order], torch.tensor([piece.start, piece.stop]))
        chosen = order[int(bounds[0]) : int(bounds[1])]
        row, token = sampled.row[chosen] - start, sampled.token[chosen]
        # One exponential per logit: e = exp(z - max), so p = e / total, and log p = z - max - log total.
        z = product(hidden[piece] / temperature, weight).to(logprob.dtype)
        z -= z.amax(dim=-1, keepdim=True)
        e = z.exp()
        total = e.sum(dim=-1, keepdim=True)
        logprob[chosen] = z[row, token] - total.log()[row, 0]
        entropy[piece] = (total.log() - _dot(e, z) / total)[:, 0]
        if expected is not None:
            expected[piece] = product(e.to(weight.dtype), weight.t()).to(logprob.dtype) / (total * temperature)
        if slope is not None:
            inner = e * (z - total.log() + entropy[piece, None])
            slope[piece] = -product(inner.to(weight.dtype), weight.t()).to(logprob.dtype) / (total * temperature)
    return HeadValues(logprob, entropy, expected, slope)


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
