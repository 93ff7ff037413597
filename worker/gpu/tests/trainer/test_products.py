"""Linear layers by hand: the gradients of autograd, and bits that depend on nothing but the operands."""

import pytest
import torch
import torch.nn.functional as F

from flow_grpo.trainer.products import adapted_linear, frozen_linear, product

ROWS, INPUTS, OUTPUTS, RANK, SCALE = 37, 24, 40, 4, 2.0


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("with_bias", [False, True])
def test_gradients_are_those_of_the_formula(with_bias: bool) -> None:
    weight = random(OUTPUTS, INPUTS, seed=1)
    bias = random(OUTPUTS, seed=2) if with_bias else None
    inputs = [random(ROWS, INPUTS), random(RANK, INPUTS, seed=3), random(OUTPUTS, RANK, seed=4)]
    ours, plain = ([tensor.clone().requires_grad_() for tensor in inputs] for _ in range(2))
    y = adapted_linear(ours[0], weight, bias, False, ours[1], ours[2], SCALE)
    expected = F.linear(plain[0], weight, bias) + SCALE * plain[0] @ plain[1].T @ plain[2].T
    torch.testing.assert_close(y, expected)
    direction = random(ROWS, OUTPUTS, seed=5)
    y.backward(direction)
    expected.backward(direction)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_frozen_layer_passes_the_gradient_on() -> None:
    weight, x = random(OUTPUTS, INPUTS, seed=1), random(ROWS, INPUTS).requires_grad_()
    direction = random(ROWS, OUTPUTS, seed=5)
    frozen_linear(x, weight, None, False).backward(direction)
    torch.testing.assert_close(x.grad, direction @ weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 16, 37, 300])
def test_a_product_gives_the_same_bits_whatever_came_before(rows: int, dtype: torch.dtype) -> None:
    x, weight = random(rows, 576, dtype=torch.float32).to(dtype), random(192, 576, dtype=torch.float32).to(dtype)
    first = product(x, weight)
    for other in (5, 64, 1000):
        product(random(other, 576, dtype=torch.float32).to(dtype), weight)
        product(random(other, 192, dtype=torch.float32).to(dtype), weight.t())
    # Copies lie at other addresses.
    assert torch.equal(product(x.clone(), weight.clone()), first)
