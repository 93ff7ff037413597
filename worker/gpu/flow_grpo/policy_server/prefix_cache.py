"""What has been computed, as a tree of tokens: each distinct prefix has one node, whoever asks for it.

A node is a token after a prefix, under the policy at the tree's root. Its keys, values and hidden state lie at an
offset of a page. Requests that share a prefix share nodes, also while nodes are still waiting to be computed: that is
how a common prefix, an identical prompt, or a continuation that two rollouts have in common is computed once.

A page belongs to one branch. Where two branches part inside a page, the new one gets a copy of it, made just before its
first own token is computed. Pages that no sequence and no other page needs stay as cache until room is needed, the
longest unused first.
"""

from collections.abc import Callable, Sequence

import numpy as np

from flow_grpo.policy_server.kernels import PAGE


class CacheFull(Exception):
    """No page is free and none can be evicted: the scheduler admitted more than it had reserved."""


class Page:
    """A page of one branch: `table` holds the pages of all positions up to its own, itself last."""

    __slots__ = ("copy_from", "dependents", "filled", "index", "nodes", "parent", "table", "users")

    def __init__(self, index: int, parent: "Page | None") -> None:
        self.index = index
        self.parent = parent
        before = parent.table if parent else np.empty(0, np.int32)
        self.table = np.append(before, np.int32(index))
        self.nodes: list[Node] = []
        self.filled = 0
        # The page whose beginning this one shares, until it has been copied.
        self.copy_from: Page | None = None
        self.users = 0
        self.dependents = 0


class Node:
    """A token after a prefix. The root of a policy has no page and counts as computed."""

    __slots__ = ("children", "computed", "offset", "page", "parent", "position", "token")

    def __init__(self, token: int, parent: "Node | None", page: Page | None, offset: int) -> None:
        self.token = token
        self.parent = parent
        self.page = page
        self.offset = offset
        self.position = parent.position + 1 if parent else -1
        self.computed = parent is None
        self.children: dict[int, Node] = {}


class PrefixCache:
    """The token trees of all policies of one base model, over a fixed number of pages.

    `copy_page(source, target)` copies a page's content.
    """

    def __init__(self, pages: int, copy_page: Callable[[int, int], None]) -> None:
        self._free = list(range(pages - 1, -1, -1))
        self._copy_page = copy_page
        self._roots: dict[str, Node] = {}
        # Pages without users and dependents, the longest unused first.
        self._idle: dict[Page, None] = {}

    def root(self, policy_sha256: str) -> Node:
        """The empty prefix under a policy."""
        return self._roots.setdefault(policy_sha256, Node(-1, None, None, PAGE - 1))

    def extend(self, node: Node, tokens: Sequence[int]) -> tuple[Node, list[Node]]:
        """Follow tokens from a node whose page is in use (`use`), making what is missing.

        Returns the last node, its page in use instead of the first one's, and the new nodes in order: the caller has
        them computed, in the order in which calls made them. Raises CacheFull.
        """
        created: list[Node] = []
        for token in tokens:
            child = node.children.get(token)
            if child is None:
                child = self._append(node, token)
                created.append(child)
            if child.page is not node.page:
                self.use(child)
                self.release(node)
            node = child
        return node, created

    def use(self, node: Node) -> None:
        """Keep the node's page, and with it all pages of its prefix, until `release`."""
        if node.page:
            node.page.users += 1
            self._idle.pop(node.page, None)

    def release(self, node: Node) -> None:
        """Undo one `use`."""
        if node.page:
            node.page.users -= 1
            self._note_idle(node.page)

    def materialise(self, node: Node) -> bool:
        """Before a node is computed: copy the beginning its page shares with another. False: not computed yet."""
        page, parent = node.page, node.parent
        if page is None or page.copy_from is None:
            return True
        if parent is None or not parent.computed:
            return False
        source, page.copy_from = page.copy_from, None
        self._copy_page(source.index, page.index)
        source.users -= 1
        self._note_idle(source)
        return True

    def _append(self, node: Node, token: int) -> Node:
        child = Node(token, node, *self._place_after(node))
        node.children[token] = child
        if child.page:
            child.page.nodes.append(child)
            child.page.filled = child.offset + 1
        return child

    def _place_after(self, node: Node) -> tuple[Page, int]:
        page = node.page
        if page is None or node.offset == PAGE - 1:
            return self._new_page(page), 0
        if page.filled == node.offset + 1:
            return page, page.filled
        # Another branch has gone on in this page: copy it up to here.
        branch = self._new_page(page.parent)
        branch.copy_from = page
        page.users += 1
        return branch, node.offset + 1

    def _new_page(self, parent: Page | None) -> Page:
        if parent:
            parent.dependents += 1
            self._idle.pop(parent, None)
        if not self._free:
            self._evict()
        return Page(self._free.pop(), parent)

    def _evict(self) -> None:
        page = next(iter(self._idle), None)
        if page is None:
            raise CacheFull("every page of the prefix cache is in use")
        del self._idle[page]
        self._free.append(page.index)
        for node in page.nodes:
            if node.parent and node.parent.children.get(node.token) is node:
                del node.parent.children[node.token]
        if page.parent:
            page.parent.dependents -= 1
            self._note_idle(page.parent)

    def _note_idle(self, page: Page) -> None:
        if page.users == 0 and page.dependents == 0:
            self._idle[page] = None
