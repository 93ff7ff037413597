"""Attention in blocks is attention of each node to its ancestors, and so is its gradient."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.prefix_tree import PrefixTree, build_tree
from flow_grpo.trainer.tree_attention import BlockAttention
from tests.trainer.samples import sample

HEADS, KEY_HEADS, WIDTH, SCALING = 4, 2, 3, 0.6

token_lists = st.lists(st.integers(0, 2), min_size=1, max_size=6)
sequences = st.lists(st.tuples(token_lists, token_lists), min_size=1, max_size=8)


def dense_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, tree: PrefixTree) -> torch.Tensor:
    """query (H, V, D), key and value (H_kv, V, D) -> (V, H, D), with a mask of all pairs."""
    node = torch.arange(tree.size)
    seen = (node[None, :] <= node[:, None]) & (node[:, None] < tree.end[None, :])
    key, value = (tensor.repeat_interleave(HEADS // KEY_HEADS, dim=0) for tensor in (key, value))
    scores = (query @ key.transpose(1, 2) * SCALING).masked_fill(~seen, -torch.inf)
    return (scores.softmax(dim=-1) @ value).transpose(0, 1)


@settings(deadline=None)
@given(sequences, st.integers(1, 9))
def test_blocks_give_dense_attention_and_its_gradient(pairs: list[tuple[list[int], list[int]]], size: int) -> None:
    # Few distinct tokens: duplicates, shared and ragged prefixes, single samples, several roots.
    tree = build_tree([sample(0, index, 1, prompt, response, 0.0) for index, (prompt, response) in enumerate(pairs)])
    generator = torch.Generator().manual_seed(0)
    shapes = [(heads, tree.size, WIDTH) for heads in (HEADS, KEY_HEADS, KEY_HEADS)]
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    ours, plain = ([tensor.clone().requires_grad_() for tensor in inputs] for _ in range(2))
    out = BlockAttention(attention_blocks(tree, size))(ours[0], ours[1], ours[2], SCALING)
    expected = dense_attention(plain[0], plain[1], plain[2], tree)
    torch.testing.assert_close(out, expected)
    direction = torch.randn(out.shape, generator=generator, dtype=torch.float64)
    out.backward(direction)
    expected.backward(direction)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad)
