"""The token tree: whatever shares, branches and is evicted, a node's pages hold its prefix."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_grpo.policy_server.kernels import PAGE
from flow_grpo.policy_server.prefix_cache import CacheFull, Node, PrefixCache


class Memory:
    """Pages of token ids, written as a decoder would write keys and values."""

    def __init__(self, pages: int) -> None:
        self.pages = [[-1] * PAGE for _ in range(pages)]
        self.computed = 0
        self.cache = PrefixCache(pages, self.copy)

    def copy(self, source: int, target: int) -> None:
        self.pages[target] = list(self.pages[source])

    def compute(self, nodes: list[Node]) -> None:
        for node in nodes:
            assert self.cache.materialise(node)
            assert node.page is not None
            self.pages[node.page.index][node.offset] = node.token
            node.computed = True
            self.computed += 1

    def add(self, policy: str, tokens: list[int]) -> Node:
        node, created = self.cache.extend(self.cache.root(policy), tokens)
        self.compute(created)
        return node

    def prefix(self, node: Node) -> list[int]:
        assert node.page is not None
        tokens = [token for index in node.page.table for token in self.pages[index]]
        return tokens[: node.position + 1]


def test_a_prefix_is_computed_once() -> None:
    memory = Memory(10)
    shared = list(range(50))
    for tail in range(4):
        node = memory.add("a", [*shared, 100 + tail])
        assert memory.prefix(node) == [*shared, 100 + tail]
    assert memory.computed == 54


def test_policies_share_nothing() -> None:
    memory = Memory(10)
    memory.add("a", [1, 2, 3])
    memory.add("b", [1, 2, 3])
    assert memory.computed == 6


def test_a_branch_waits_for_what_it_copies() -> None:
    memory = Memory(10)
    _, first = memory.cache.extend(memory.cache.root("a"), [1, 2, 3])
    _, branch = memory.cache.extend(memory.cache.root("a"), [1, 2, 4])
    assert not memory.cache.materialise(branch[0])
    memory.compute(first)
    memory.compute(branch)
    assert memory.prefix(branch[0]) == [1, 2, 4]


def test_pages_in_use_are_never_evicted() -> None:
    memory = Memory(3)
    held = memory.add("a", list(range(2 * PAGE)))
    for token in range(5):
        memory.cache.release(memory.add("a", [1000 + token]))
    assert memory.prefix(held) == list(range(2 * PAGE))
    memory.add("a", [2000])
    with pytest.raises(CacheFull):
        memory.add("a", [3000])


def test_the_longest_unused_goes_first() -> None:
    memory = Memory(2)
    for tokens in ([1], [2]):
        memory.cache.release(memory.add("a", tokens))
    memory.cache.release(memory.add("a", [1]))
    memory.cache.release(memory.add("a", [3]))
    computed = memory.computed
    memory.cache.release(memory.add("a", [1]))
    assert memory.computed == computed


prompts = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3 * PAGE), st.lists(st.integers(0, 2), max_size=2 * PAGE)), max_size=30
)


@settings(max_examples=60, deadline=None)
@given(prompts)
def test_pages_hold_the_prefix_whatever_came_before(steps: list[tuple[int, int, list[int]]]) -> None:
    memory = Memory(14)
    common = [7] * (3 * PAGE)
    held: list[tuple[Node, list[int]]] = []
    for policy, shared, tail in steps:
        tokens = common[:shared] + tail
        if not tokens:
            continue
        node = memory.add(str(policy), tokens)
        held.append((node, tokens))
        if len(held) > 1:
            memory.cache.release(held.pop(0)[0])
        for kept, expected in held:
            assert memory.prefix(kept) == expected
