"""The prefix tree of a batch: each distinct prefix token is computed once.

A node is a token after a given prefix; samples are paths from a root. Nodes are numbered in depth-first order of the
lexicographically sorted sequences, so a tree depends on the set of its sequences alone, and the nodes below k are
the interval k + 1 .. end[k] - 1.

Letters of shapes: N sequences, L longest sequence, V nodes, M sampled tokens (actions).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from flow_grpo.trainer.sample import Sample

PAD = -1


@dataclass(frozen=True)
class PrefixTree:
    """A micro-batch as a forest."""

    tokens: torch.Tensor
    """(V,) int64."""
    depth: torch.Tensor
    """(V,) int64: the token's position in its sequence."""
    end: torch.Tensor
    """(V,) int64: one past the last node below a node."""
    action_node: torch.Tensor
    """(M,) int64: the node whose logits predict the action, so the parent of the action's own node."""
    action_token: torch.Tensor
    """(M,) int64: the sampled token."""

    @property
    def size(self) -> int:
        """V, the tokens that the model computes."""
        return len(self.tokens)

    def to(self, device: torch.device) -> "PrefixTree":
        """The same tree on another device."""
        return PrefixTree(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True)
class _Sorted:
    """Sequences in lexicographic order."""

    order: np.ndarray
    """(N,): which sample is at a place of the order."""
    tokens: np.ndarray
    """(N, L), padded with PAD at the end."""
    length: np.ndarray
    """(N,)"""
    common: np.ndarray
    """(N,): tokens that a sequence has in common with the one before it; 0 for the first."""


def build_tree(samples: Sequence[Sample]) -> PrefixTree:
    """The tree of the samples' sequences; actions are in the order of the samples."""
    rows = _sort(samples)
    inside = rows.tokens != PAD
    # A sequence adds nodes from where it leaves the one before it.
    fresh = inside & (np.arange(rows.tokens.shape[1]) >= rows.common[:, None])
    numbers = np.where(fresh, np.cumsum(fresh).reshape(fresh.shape) - 1, PAD)
    # Numbers grow from row to row, so the last fresh one above a position in its column is the node it shares.
    nodes = np.maximum.accumulate(numbers, axis=0)
    last = nodes[np.arange(len(nodes)), rows.length - 1]
    end = np.zeros(fresh.sum(), dtype=np.int64)
    np.maximum.at(end, nodes[inside], np.repeat(last + 1, rows.length))
    place = np.argsort(rows.order)
    paths = [nodes[place[index], : len(s.tokens)] for index, s in enumerate(samples)]
    return PrefixTree(
        tokens=torch.from_numpy(rows.tokens[fresh]),
        depth=torch.from_numpy(np.nonzero(fresh)[1]),
        end=torch.from_numpy(end),
        action_node=torch.from_numpy(
            np.concatenate([path[len(s.prompt) - 1 : -1] for path, s in zip(paths, samples, strict=True)])
        ),
        action_token=torch.tensor([token for s in samples for token in s.response]),
    )


def tree_size(samples: Sequence[Sample]) -> int:
    """Number of distinct prefixes of the samples' sequences."""
    rows = _sort(samples)
    return int((rows.length - rows.common).sum())


def split_micro_batches(samples: Sequence[Sample], budget: int) -> list[list[int]]:
    """Cut samples into micro-batches of at most `budget` tree tokens: the indices of each one's samples, ascending.

    Micro-batches are runs of the sorted sequences, so each is a piece of the tree. Of all ways to cut, this is one
    that computes the fewest tokens: it cuts where neighbours share little, and subtrees stay together. A sample that
    exceeds the budget alone is a micro-batch of its own.
    """
    rows = _sort(samples)
    added = np.concatenate([[0], np.cumsum(rows.length - rows.common)])
    # best[j]: fewest tokens for the first j sequences; cut[j]: where their last run begins.
    best, cut = np.zeros(len(samples) + 1, dtype=np.int64), np.zeros(len(samples) + 1, dtype=np.int64)
    for stop in range(1, len(samples) + 1):
        # A run has its first sequence in full, whatever that shares with the one before the run.
        size = added[stop] - added[:stop] + rows.common[:stop]
        total = np.where((size <= budget) | (np.arange(stop) == stop - 1), best[:stop] + size, np.iinfo(np.int64).max)
        cut[stop] = np.argmin(total)
        best[stop] = total[cut[stop]]
    runs: list[list[int]] = []
    stop = len(samples)
    while stop:
        runs.append(sorted(rows.order[cut[stop] : stop].tolist()))
        stop = int(cut[stop])
    return runs[::-1]


def _sort(samples: Sequence[Sample]) -> _Sorted:
    length = np.array([len(s.tokens) for s in samples])
    tokens = np.full((len(samples), length.max()), PAD, dtype=np.int64)
    for row, sample in enumerate(samples):
        tokens[row, : length[row]] = sample.tokens
    order = np.lexsort(tokens.T[::-1])
    tokens, length = tokens[order], length[order]
    common = np.zeros(len(samples), dtype=np.int64)
    agreeing = np.logical_and.accumulate((tokens[1:] == tokens[:-1]) & (tokens[1:] != PAD), axis=1)
    common[1:] = agreeing.sum(axis=1)
    return _Sorted(order, tokens, length, common)
