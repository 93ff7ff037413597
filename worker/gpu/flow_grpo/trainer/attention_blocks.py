"""Attention of a prefix tree as blocks: which keys which nodes look at.

V nodes would cost V x V although a node sees only its ancestors. A block of consecutive nodes needs the ancestors of
its first node and the block itself, nothing else: whatever is an ancestor of a later node of the block and lies before
the block is an ancestor of the first node too, because the nodes below a node are an interval.

Letters of shapes: V nodes, Q nodes of a block, K keys of a block, C keys that all nodes of the block see.
"""

from dataclasses import dataclass

import torch

from flow_grpo.trainer.prefix_tree import PrefixTree


@dataclass(frozen=True)
class AttentionBlock:
    """The nodes start .. stop - 1 and the keys that they look at."""

    start: int
    stop: int
    keys: torch.Tensor
    """(K,) int64, ascending: the path to the first node, then the block's own nodes."""
    common: int
    """C: the first keys, which are ancestors of every node of the block."""
    hidden: torch.Tensor
    """(Q, K - C) bool: where a key after the common ones is neither the node itself nor an ancestor of it."""


def attention_blocks(tree: PrefixTree, size: int) -> list[AttentionBlock]:
    """Cut the nodes, in their order, into blocks of `size`; the last may be shorter."""
    index = torch.arange(tree.size)
    return [_block(tree, index, start, min(start + size, tree.size)) for start in range(0, tree.size, size)]


def _block(tree: PrefixTree, index: torch.Tensor, start: int, stop: int) -> AttentionBlock:
    path = torch.nonzero(tree.end[:start] > start).flatten()
    # Ends do not grow along a path, so what reaches over the whole block comes first.
    common = int((tree.end[path] >= stop).sum())
    nodes = index[start:stop]
    keys = torch.cat([path, nodes])
    rest = keys[common:]
    seen = (rest[None, :] <= nodes[:, None]) & (nodes[:, None] < tree.end[rest][None, :])
    return AttentionBlock(start=start, stop=stop, keys=keys, common=common, hidden=~seen)
