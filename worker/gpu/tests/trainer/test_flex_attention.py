"""FlexAttention's mask and result over a tree, on a CPU: what an accelerator would compute."""

import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.flex_attention import FlexTreeAttention, ancestors_only
from flow_grpo.trainer.prefix_tree import build_tree
from flow_grpo.trainer.tree_attention import BlockAttention
from tests.trainer.samples import random_samples

HEADS, KEY_HEADS, WIDTH = 4, 2, 16


def test_the_mask_shows_each_node_itself_and_its_ancestors() -> None:
    tree = build_tree(random_samples(1))
    mask = create_mask(ancestors_only(tree.end), None, None, tree.size, tree.size, device="cpu")[0, 0]
    for node in range(tree.size):
        path = [key for key in range(node + 1) if int(tree.end[key]) > node]
        assert torch.nonzero(mask[node]).flatten().tolist() == path


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_both_attentions_agree() -> None:
    tree = build_tree(random_samples(2))
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(heads, tree.size, WIDTH, generator=generator) for heads in (HEADS, KEY_HEADS, KEY_HEADS)
    )
    blocks = BlockAttention(attention_blocks(tree, 8))
    expected = blocks(query, key, value, 0.25)
    flex = FlexTreeAttention(tree.end, bf16=False)
    torch.testing.assert_close(flex(query, key, value, 0.25), expected, rtol=1e-4, atol=1e-5)
    rounded = FlexTreeAttention(tree.end, bf16=True)(query, key, value, 0.25)
    torch.testing.assert_close(rounded, expected, rtol=2e-2, atol=2e-2)
    assert not torch.equal(rounded, expected)
