"""Matrix products whose rows do not depend on how many rows there are.

A matrix library may round a row differently when the number of rows changes. Here a product is only ever computed
with row counts that were tried on this machine, on these shapes, and gave the same bits as the smallest tile, at
every position (`stable_row_counts`). Fewer rows are padded up; nothing else is used.
"""

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F

# Rows of the product that sets the bits, and the distance between the row counts that are tried.
TILE = 16
STEP = 8


class Linear:
    """y = x W^T in fp32 with the weight in oneDNN's blocked layout where torch has oneDNN (2-3x the rate of fp32 MKL
    on processors that MKL does not favour), else by torch's own product."""

    def __init__(self, weight: torch.Tensor) -> None:
        self.outputs, self.inputs = weight.shape
        self._blocked = torch.backends.mkldnn.is_available()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, None) if self._blocked else weight.clone()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """x (R, inputs) -> (R, outputs). R must be a stable row count."""
        if self._blocked:
            return torch.ops.mkldnn._linear_pointwise(x, self._weight, None, "none", [], "")
        return F.linear(x, self._weight)


def stable_row_counts(layers: Iterable[Linear], largest: int) -> list[int]:
    """The multiples of STEP up to `largest` at which every layer gives each row the bits it has in a single tile.

    TILE itself always counts: with that alone, every product has one shape, whatever the machine. Random input shows
    any difference in the order of summation.
    """
    counts = list(range(STEP, largest + 1, STEP))
    for layer in layers:
        rows = torch.randn(largest, layer.inputs, generator=torch.Generator().manual_seed(0))
        expected = torch.cat([layer(tile) for tile in rows.split(TILE)])
        counts = [count for count in counts if count == TILE or _agrees(layer, rows[:count], expected[:count])]
    return counts


def _agrees(layer: Linear, rows: torch.Tensor, expected: torch.Tensor) -> bool:
    shift = TILE // 2 + 1
    moved = layer(rows.roll(shift, dims=0)).roll(-shift, dims=0)
    return torch.equal(layer(rows), expected) and torch.equal(moved, expected)


def padded_count(rows: int, counts: Sequence[int]) -> int:
    """The smallest stable row count that holds `rows` rows. Raises ValueError when none does."""
    for count in counts:
        if count >= rows:
            return count
    raise ValueError(f"{rows} rows are more than the largest stable row count, {counts[-1]}")
