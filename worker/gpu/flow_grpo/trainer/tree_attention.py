"""Attention over the blocks of a prefix tree, on a CPU: a few large products and nothing kept but rows.

Scores exist for one block and one key head at a time; on the way back they are made again. The heads that share a key
head are stacked as more queries of it, so that no key is copied for them.

Letters of shapes: V nodes, H heads, H_kv key heads, D width of a head, Q nodes and K keys of a block,
S = H / H_kv * Q stacked queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from flow_grpo.trainer.attention_blocks import AttentionBlock
from flow_grpo.trainer.products import product


@dataclass(frozen=True)
class BlockAttention:
    """Attention over one tree."""

    blocks: Sequence[AttentionBlock]

    def __call__(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
        """query (H, V, D), key and value (H_kv, V, D) -> (V, H, D)."""
        return _TreeAttention.apply(query, key, value, self.blocks, scaling)  # pyright: ignore[reportReturnType]


class _TreeAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        blocks: Sequence[AttentionBlock],
        scaling: float,
    ) -> torch.Tensor:
        heads, nodes, width = query.shape
        shared = heads // len(key)
        out = query.new_empty(nodes, heads, width)
        log_sum = query.new_empty(heads, nodes)
        for block in blocks:
            for head in range(len(key)):
                mine, at = slice(head * shared, (head + 1) * shared), slice(block.start, block.stop)
                scores = _scores(query[mine, at], key[head], block, scaling)
                highest = scores.amax(dim=1, keepdim=True)
                weights = scores.sub_(highest).exp_()
                total = weights.sum(dim=1, keepdim=True)
                rows = product(weights, value[head].index_select(0, block.keys).t()).div_(total)
                out[at, mine] = rows.view(shared, -1, width).transpose(0, 1)
                log_sum[mine, at] = (highest + total.log()).view(shared, -1)
        ctx.save_for_backward(query, key, value, out, log_sum)
        ctx.blocks, ctx.scaling = blocks, scaling
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, out, log_sum = ctx.saved_tensors
        (dout,) = gradients
        shared = len(query) // len(key)
        dquery, dkey, dvalue = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        # Softmax's own part of the gradient: one number per row.
        inner = (dout * out).sum(-1).t()
        for block in ctx.blocks:
            for head in range(len(key)):
                mine, at = slice(head * shared, (head + 1) * shared), slice(block.start, block.stop)
                scores = _scores(query[mine, at], key[head], block, ctx.scaling)
                weights = scores.sub_(log_sum[mine, at].reshape(-1, 1)).exp_()
                drows = dout[at, mine].transpose(0, 1).reshape(len(weights), -1)
                dvalue[head].index_add_(0, block.keys, product(weights.t(), drows.t()))
                dweights = product(drows, value[head].index_select(0, block.keys))
                dscores = dweights.sub_(inner[mine, at].reshape(-1, 1)).mul_(weights).mul_(ctx.scaling)
                dkey[head].index_add_(0, block.keys, product(dscores.t(), _stacked(query[mine, at]).t()))
                rows = product(dscores, key[head].index_select(0, block.keys).t())
                dquery[mine, at] = rows.view(shared, -1, rows.shape[1])
        return dquery, dkey, dvalue, None, None


def _scores(query: torch.Tensor, key: torch.Tensor, block: AttentionBlock, scaling: float) -> torch.Tensor:
    """query (S / Q, Q, D), key (V, D) -> scaled scores (S, K), the lowest number where a key is hidden."""
    scores = product(_stacked(query) * scaling, key.index_select(0, block.keys))
    by_head = scores.view(len(query), -1, len(block.keys))
    by_head[:, :, block.common :].masked_fill_(block.hidden, torch.finfo(scores.dtype).min)
    return scores


def _stacked(query: torch.Tensor) -> torch.Tensor:
    """(S / Q, Q, D) -> (S, D)."""
    return query.reshape(-1, query.shape[2])
