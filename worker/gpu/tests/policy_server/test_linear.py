"""Row counts are used only where they were seen to leave every row's bits alone."""

import pytest
import torch

from flow_grpo.policy_server.linear import TILE, Linear, padded_count, stable_row_counts


class CountSensitive(Linear):
    """A product that rounds differently at some row counts, as some libraries do."""

    def __init__(self, weight: torch.Tensor, bad: set[int]) -> None:
        super().__init__(weight)
        self._bad = bad

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        y = super().__call__(x)
        return y * (1 + 2**-23) if len(x) in self._bad else y


class PositionSensitive(Linear):
    """A product that rounds the last row of a large batch differently."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        y = super().__call__(x)
        if len(x) > TILE:
            y[-1] *= 1 + 2**-23
        return y


def weight() -> torch.Tensor:
    return torch.randn(32, 64, generator=torch.Generator().manual_seed(0))


def test_a_row_count_that_changes_bits_is_not_used() -> None:
    good, bad = Linear(weight()), CountSensitive(weight(), {32, 64})
    assert stable_row_counts([good, bad], 80) == [8, 16, 24, 40, 48, 56, 72, 80]


def test_a_product_that_depends_on_position_leaves_single_tiles() -> None:
    assert stable_row_counts([PositionSensitive(weight())], 128) == [8, TILE]


def test_a_tile_may_always_be_used() -> None:
    assert stable_row_counts([CountSensitive(weight(), {8, 24, 32})], 32) == [TILE]


def test_rows_are_padded_up() -> None:
    assert [padded_count(rows, [16, 48, 80]) for rows in (1, 16, 17, 49, 80)] == [16, 16, 48, 80, 80]
    with pytest.raises(ValueError, match="81 rows"):
        padded_count(81, [16, 48, 80])


def test_product_is_the_product() -> None:
    x = torch.randn(16, 64)
    torch.testing.assert_close(Linear(weight())(x), x @ weight().T, atol=1e-4, rtol=1e-5)
