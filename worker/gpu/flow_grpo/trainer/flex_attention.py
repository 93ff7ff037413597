"""Attention over a prefix tree on an accelerator: PyTorch's FlexAttention with a block mask of ancestors.

Letters of shapes: V nodes, H heads, H_kv key heads, D width of a head.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

MaskFunction = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class FlexTreeAttention:
    """Attention over one tree."""

    def __init__(self, end: torch.Tensor, bf16: bool) -> None:
        """`end`: (V,), one past the last node below each node, on the device that computes.

        `bf16`: whether the products take their operands in bf16; their sums and the softmax are fp32.
        """
        self._dtype = torch.bfloat16 if bf16 else None
        nodes = len(end)
        self._mask = create_block_mask(ancestors_only(end), None, None, nodes, nodes, device=end.device)

    def __call__(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
        """query (H, V, D), key and value (H_kv, V, D) -> (V, H, D), in the dtype of the query."""
        attend = _compiled() if query.is_cuda else flex_attention
        q, k, v = (rows[None].to(self._dtype or rows.dtype) for rows in (query, key, value))
        out = attend(q, k, v, block_mask=self._mask, scale=scaling, enable_gqa=True)
        return out[0].transpose(0, 1).to(query.dtype)


def ancestors_only(end: torch.Tensor) -> MaskFunction:
    """Whether a node may look at another: itself and its ancestors. Nodes are in depth-first order."""

    def visible(_batch: torch.Tensor, _head: torch.Tensor, node: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return (key <= node) & (node < end[key])

    return visible


@cache
def _compiled() -> Any:
    # Trees differ in size from step to step: one compilation serves them all.
    return torch.compile(flex_attention, dynamic=True)
