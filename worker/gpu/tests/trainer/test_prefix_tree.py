"""The tree is the batch: same paths, same visibility, each distinct prefix once."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.batch import Sample
from flow_grpo.trainer.prefix_tree import build_tree, split_micro_batches, tree_size
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


def test_micro_batches_keep_groups_together_and_their_order() -> None:
    samples = random_samples(1, groups=4)
    largest = max(tree_size([s for s in samples if s.group == group]) for group in range(4))
    batches = split_micro_batches(samples, largest)
    assert [index for batch in batches for index in batch] == list(range(len(samples)))
    groups = [{samples[index].group for index in batch} for batch in batches]
    assert sum(map(len, groups)) == 4
    assert all(tree_size([samples[index] for index in batch]) <= largest for batch in batches)
    assert len(split_micro_batches(samples, 10_000)) == 1


def test_a_group_over_the_budget_is_cut_between_samples() -> None:
    samples = random_samples(1, groups=1)
    batches = split_micro_batches(samples, 1)
    assert batches == [[index] for index in range(len(samples))]
