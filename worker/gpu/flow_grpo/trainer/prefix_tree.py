"""The prefix tree of a batch: each distinct prefix token is computed once.

A node is a token after a given prefix; samples are paths from a root. Nodes are numbered in depth-first order of the
lexicographically sorted sequences, so a tree depends on the set of its sequences alone, and the nodes below k are
the interval k + 1 .. end[k] - 1.

Letters of shapes: N sequences, L longest sequence, V nodes, M sampled tokens (actions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import torch

from flow_grpo.trainer.batch import Sample

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


def build_tree(samples: Sequence[Sample]) -> PrefixTree:
    """The tree of the samples' sequences; actions are in the order of the samples."""
    lengths = np.array([len(s.tokens) for s in samples])
    matrix = np.full((len(samples), lengths.max()), PAD, dtype=np.int64)
    for row, sample in enumerate(samples):
        matrix[row, : lengths[row]] = sample.tokens
    order = np.lexsort(matrix.T[::-1])
    nodes, fresh = _number_nodes(matrix[order])
    last = nodes[np.arange(len(order)), lengths[order] - 1]
    end = np.zeros(fresh.sum(), dtype=np.int64)
    inside = matrix[order] != PAD
    np.maximum.at(end, nodes[inside], np.repeat(last + 1, lengths[order]))
    rank = np.argsort(order)
    paths = [nodes[rank[row], : lengths[row]] for row in range(len(samples))]
    return PrefixTree(
        tokens=torch.from_numpy(matrix[order][fresh]),
        depth=torch.from_numpy(np.nonzero(fresh)[1]),
        end=torch.from_numpy(end),
        action_node=torch.from_numpy(
            np.concatenate([path[len(s.prompt) - 1 : -1] for path, s in zip(paths, samples, strict=True)])
        ),
        action_token=torch.tensor([token for s in samples for token in s.response]),
    )


def tree_size(samples: Sequence[Sample]) -> int:
    """Number of distinct prefixes of the samples' sequences."""
    sequences = sorted(s.tokens for s in samples)
    shared = sum(_common_prefix(a, b) for a, b in pairwise(sequences))
    return sum(map(len, sequences)) - shared


def split_micro_batches(samples: Sequence[Sample], budget: int) -> list[list[int]]:
    """Cut sorted samples into micro-batches of at most `budget` tree tokens: the indices of each one's samples.

    A group stays together, because its samples share the query; only a group that exceeds the budget alone is cut,
    between samples. A sample that exceeds it alone is a micro-batch of its own.
    """
    pieces: list[list[int]] = []
    for _, members in groupby(range(len(samples)), key=lambda index: samples[index].group):
        group = list(members)
        pieces += [group] if _size(samples, group) <= budget else [[index] for index in group]
    batches: list[list[int]] = []
    for piece in pieces:
        if batches and _size(samples, batches[-1] + piece) <= budget:
            batches[-1] += piece
        else:
            batches.append(list(piece))
    return batches


def _size(samples: Sequence[Sample], members: Sequence[int]) -> int:
    return tree_size([samples[index] for index in members])


def _number_nodes(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Node of each (sequence, position) and where a sequence is the first to visit it. matrix: sorted (N, L)."""
    inside = matrix != PAD
    fresh = inside.copy()
    # A position is shared with the sequence before as long as all positions up to it agree.
    fresh[1:] &= ~np.logical_and.accumulate(matrix[1:] == matrix[:-1], axis=1)
    numbers = np.where(fresh, np.cumsum(fresh).reshape(fresh.shape) - 1, PAD)
    # Numbers grow from row to row, so the last fresh one above a position in its column is the node it shares.
    return np.maximum.accumulate(numbers, axis=0), fresh


def _common_prefix(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Length of the common prefix."""
    for index, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return index
    return min(len(a), len(b))
