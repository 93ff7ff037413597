"""Where keys, values and final hidden states of computed tokens lie: in pages of PAGE positions."""

import mmap

import numpy as np

from flow_grpo.policy_server.decoder_shape import DecoderShape
from flow_grpo.policy_server.kernels import PAGE


class KeyValueStore:
    """A fixed number of pages. Memory is taken from the system when a page is first written.

    keys (pages, layers, kv_heads, head_dim, PAGE): transposed, so that a query meets PAGE keys at once;
    values (pages, layers, kv_heads, PAGE, head_dim); hidden (pages, PAGE, hidden): the normalised output of the last
    layer, what the vocabulary is multiplied with.
    """

    def __init__(self, shape: DecoderShape, pages: int) -> None:
        self.pages = pages
        heads, dim = shape.kv_heads, shape.head_dim
        self.keys = _lazy_zeros((pages, shape.layers, heads, dim, PAGE))
        self.values = _lazy_zeros((pages, shape.layers, heads, PAGE, dim))
        self.hidden = _lazy_zeros((pages, PAGE, shape.hidden))

    def copy_page(self, source: int, target: int) -> None:
        """Copy all of a page: a token's entries depend on its prefix alone, so they hold in any page of that prefix."""
        self.keys[target] = self.keys[source]
        self.values[target] = self.values[source]
        self.hidden[target] = self.hidden[source]


def page_bytes(shape: DecoderShape) -> int:
    """Size of one page over all layers."""
    return 4 * PAGE * (2 * shape.layers * shape.kv_heads * shape.head_dim + shape.hidden)


def _lazy_zeros(shape: tuple[int, ...]) -> np.ndarray:
    # An anonymous mapping is zero, aligned to memory pages, and costs nothing until it is written.
    size = int(np.prod(shape)) * 4
    return np.frombuffer(mmap.mmap(-1, size), dtype=np.float32).reshape(shape)
