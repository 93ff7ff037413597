"""Matrix products of the gradient step, by the fastest library that gives the same bits every time.

On a CPU in fp32 that is oneDNN, at two to three times the rate of torch's own product on processors that MKL does not
favour. Nothing is packed beforehand: weights stay where they are, also for products with their transpose.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

_ONEDNN = torch.backends.mkldnn.is_available()
# oneDNN has products in bf16 for processors that have instructions for them, AVX-512 at least.
_ONEDNN_DTYPES = {torch.float32} | ({torch.bfloat16} if torch.ops.mkldnn._is_mkldnn_bf16_supported() else set())

Unpack = Callable[[torch.Tensor], torch.Tensor]
"""A frozen weight as it is stored -> the matrix (out, in)."""


def as_stored(weight: torch.Tensor) -> torch.Tensor:
    """The matrix of a weight that is stored as one."""
    return weight


def product(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x (R, in), weight (out, in) -> x weight^T (R, out). Either may be a transposed view."""
    if _ONEDNN and x.device.type == "cpu" and x.dtype in _ONEDNN_DTYPES:
        return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return F.linear(x, weight)


def wide_product(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The same, in the dtype of x whatever the weight's: with a weight in bf16, x is rounded to it as an operand.

    Sums are fp32 in any case; on a GPU they are not even rounded to bf16 at the end.
    """
    if weight.dtype == x.dtype:
        return product(x, weight)
    operand = x.to(weight.dtype)
    if x.is_cuda:
        return torch.mm(operand, weight.t(), out_dtype=x.dtype)
    return product(operand, weight).to(x.dtype)


def frozen_linear(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, bf16: bool, unpack: Unpack = as_stored
) -> torch.Tensor:
    """x (R, in) -> x weight^T + bias (R, out); no gradient reaches weight and bias.

    `unpack` makes the matrix of the weight, for each product anew.
    """
    return _FrozenLinear.apply(x, weight, bias, bf16, unpack)  # pyright: ignore[reportReturnType]


def trained_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, bf16: bool) -> torch.Tensor:
    """x (R, in) -> x weight^T + bias (R, out); gradients go to x, weight and bias.

    `bf16`: all three products take their operands in bf16; weight and gradients stay in the dtype of x.
    """
    return _TrainedLinear.apply(x, weight, bias, bf16)  # pyright: ignore[reportReturnType]


def adapted_linear(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    bf16: bool,
    lora_a: torch.Tensor,
    lora_b: torch.Tensor,
    scale: float,
    unpack: Unpack = as_stored,
) -> torch.Tensor:
    """x (R, in) -> x weight^T + bias + scale x A^T B^T (R, out); gradients go to x, A (r, in) and B (out, r).

    x and the low-rank rows are all that is kept for the way back. `bf16`: the product with the weight takes its
    operands in bf16 and adds in fp32; the adapter's own products stay in the dtype of x.
    """
    adapter = (lora_a, lora_b, scale)
    return _AdaptedLinear.apply(x, weight, bias, bf16, *adapter, unpack)  # pyright: ignore[reportReturnType]


class _FrozenLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, bf16: bool, unpack: Unpack
    ) -> torch.Tensor:
        ctx.save_for_backward(weight)
        ctx.bf16, ctx.unpack = bf16, unpack
        y = _mixed_product(x, unpack(weight), bf16)
        return y if bias is None else y.add_(bias)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        return _mixed_product(gradients[0], ctx.unpack(weight).t(), ctx.bf16), None, None, None, None


class _TrainedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, bf16: bool) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.bf16 = bf16
        y = _mixed_product(x, weight, bf16)
        return y if bias is None else y.add_(bias)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        dy = gradients[0]
        dx = _mixed_product(dy, weight.t(), ctx.bf16) if ctx.needs_input_grad[0] else None
        dbias = dy.sum(0) if ctx.needs_input_grad[2] else None
        return dx, _mixed_product(dy.t(), x.t(), ctx.bf16), dbias, None


class _AdaptedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        bf16: bool,
        lora_a: torch.Tensor,
        lora_b: torch.Tensor,
        scale: float,
        unpack: Unpack,
    ) -> torch.Tensor:
        low = product(x, lora_a)
        y = _mixed_product(x, unpack(weight), bf16).addmm_(low, lora_b.t(), alpha=scale)
        ctx.save_for_backward(x, weight, lora_a, lora_b, low)
        ctx.bf16, ctx.scale, ctx.unpack = bf16, scale, unpack
        return y if bias is None else y.add_(bias)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight, lora_a, lora_b, low = ctx.saved_tensors
        dy = gradients[0]
        dlow = product(dy, lora_b.t()).mul_(ctx.scale)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = _mixed_product(dy, ctx.unpack(weight).t(), ctx.bf16).addmm_(dlow, lora_a)
        # The long dimension, rows, is summed over: both products have the small rank as their rows.
        da = product(dlow.t(), x.t())
        db = product(low.t(), dy.t()).t().mul(ctx.scale)
        return dx, None, None, None, da, db, None, None


def _mixed_product(x: torch.Tensor, weight: torch.Tensor, bf16: bool) -> torch.Tensor:
    return wide_product(x, weight.bfloat16() if bf16 else weight)
