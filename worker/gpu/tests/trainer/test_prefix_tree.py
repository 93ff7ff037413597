"""The tree is the batch: same paths, same visibility, each distinct prefix once."""

from collections.abc import Sequence

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.prefix_tree import build_tree, split_micro_batches, tree_size
from flow_grpo.trainer.sample import Sample
from tests.trainer.samples import random_samples, sample

token_lists = st.lists(st.integers(0, 2), min_size=1, max_size=6)
sequences = st.lists(st.tuples(token_lists, token_lists), min_size=1, max_size=8)


def samples_of(pairs: list[tuple[list[int], list[int]]]) -> list[Sample]:
    return [sample(0, index, 1, prompt, response, 0.0) for index, (prompt, response) in enumerate(pairs)]


def ancestors(tree: object, node: int) -> list[int]:
    end: torch.Tensor = tree.end  # pyright: ignore[reportAttributeAccessIssue]
    return [k for k in range(node + 1) if int(end[k]) > node]


@settings(deadline=None)
@given(sequences)
def test_each_distinct_prefix_is_one_node(pairs: list[tuple[list[int], list[int]]]) -> None:
    samples = samples_of(pairs)
    prefixes = {s.tokens[:length] for s in samples for length in range(1, len(s.tokens) + 1)}
    assert build_tree(samples).size == tree_size(samples) == len(prefixes)


@settings(deadline=None)
@given(sequences)
def test_an_action_sees_its_own_prefix_and_nothing_else(pairs: list[tuple[list[int], list[int]]]) -> None:
    samples = samples_of(pairs)
    tree = build_tree(samples)
    at = 0
    for s in samples:
        for j in range(len(s.response)):
            path = ancestors(tree, int(tree.action_node[at]))
            assert tuple(tree.tokens[path].tolist()) == s.tokens[: len(s.prompt) + j]
            assert tree.depth[path].tolist() == list(range(len(path)))
            assert int(tree.action_token[at]) == s.response[j]
            at += 1
    assert at == len(tree.action_node)


@settings(deadline=None)
@given(sequences, st.integers(1, 5))
def test_attention_blocks_show_each_node_its_ancestors(pairs: list[tuple[list[int], list[int]]], size: int) -> None:
    tree = build_tree(samples_of(pairs))
    seen: dict[int, list[int]] = {}
    for block in attention_blocks(tree, size):
        for node, hidden in zip(range(block.start, block.stop), block.hidden, strict=True):
            seen[node] = block.keys[: block.common].tolist() + block.keys[block.common :][~hidden].tolist()
    assert seen == {node: ancestors(tree, node) for node in range(tree.size)}


@settings(deadline=None)
@given(sequences)
def test_the_order_of_the_samples_does_not_change_the_tree(pairs: list[tuple[list[int], list[int]]]) -> None:
    samples = samples_of(pairs)
    tree, other = build_tree(samples), build_tree(samples[::-1])
    assert torch.equal(tree.tokens, other.tokens)
    assert torch.equal(tree.depth, other.depth)
    assert torch.equal(tree.end, other.end)


def runs_of(count: int) -> list[list[range]]:
    """All ways to cut `count` places into runs."""
    if not count:
        return [[]]
    return [[*head, range(start, count)] for start in range(count) for head in runs_of(start)]


@settings(deadline=None)
@given(sequences, st.integers(1, 40))
def test_micro_batches_are_the_cut_that_computes_the_fewest_tokens(
    pairs: list[tuple[list[int], list[int]]], budget: int
) -> None:
    samples = samples_of(pairs)
    parts = split_micro_batches(samples, budget)
    assert sorted(index for part in parts for index in part) == list(range(len(samples)))
    assert all(part == sorted(part) for part in parts)
    in_order = sorted(samples, key=lambda s: s.tokens)

    def size(members: Sequence[Sample]) -> int:
        """Tokens, or infinitely many where they may not be together."""
        tokens = tree_size(members)
        return tokens if tokens <= budget or len(members) == 1 else 10**9

    best = min(sum(size([in_order[i] for i in run]) for run in runs) for runs in runs_of(len(samples)))
    assert sum(size([samples[index] for index in part]) for part in parts) == best


def test_micro_batches_keep_groups_together() -> None:
    samples = random_samples(1, groups=4)
    largest = max(tree_size([s for s in samples if s.group == group]) for group in range(4))
    parts = split_micro_batches(samples, largest)
    assert sum(len({samples[index].group for index in part}) for part in parts) == 4
    assert len(split_micro_batches(samples, 10_000)) == 1


def test_a_group_over_the_budget_is_cut_where_the_least_is_shared() -> None:
    trunk = [1, 1, 1]
    prompts = [[*trunk, 2, 2, 2], [*trunk, 3, 3, 3], [*trunk, 2, 2, 2], [*trunk, 3, 3, 3]]
    samples = [sample(0, index, 1, prompt, [4 + index], 0.0) for index, prompt in enumerate(prompts)]
    assert split_micro_batches(samples, 10) == [[0, 2], [1, 3]]
    assert split_micro_batches(samples, 1) == [[0], [2], [1], [3]]
