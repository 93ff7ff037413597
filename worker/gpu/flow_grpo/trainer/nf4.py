"""Frozen matrices in 4 bits (NF4), by bitsandbytes: an optional package, imported where a run asks for it."""

import sys
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import nn

from flow_grpo.failures import Failure, FailureType

PACKAGE = "bitsandbytes"

BLOCK = 64
"""Numbers that share a scale."""

BYTES = 0.5 + 4 / BLOCK
"""Of one number, with its part of the fp32 scale."""


def require_bitsandbytes() -> None:
    """Raise Failure (BadConfiguration) where bitsandbytes is not installed."""
    if find_spec(PACKAGE) is None:
        raise Failure(
            FailureType.BadConfiguration,
            f"training.weights.base is nf4, and the trainer lacks {PACKAGE}; on its machine, run "
            f"`uv pip install --python {sys.executable} {PACKAGE}` and restart it",
        )


class Nf4(nn.Module):
    """What turns the 4 bits of one matrix into numbers again, the same ones every time."""

    absmax: torch.Tensor
    code: torch.Tensor

    def __init__(self, shape: torch.Size, dtype: torch.dtype, absmax: torch.Tensor, code: torch.Tensor) -> None:
        """absmax: the scale of each block; code: (16,). `dtype`: of the numbers."""
        super().__init__()
        self._shape = shape
        self._dtype = dtype
        self.register_buffer("absmax", absmax)
        self.register_buffer("code", code)

    def forward(self, packed: torch.Tensor) -> torch.Tensor:
        """packed: uint8, two numbers each -> (out, in), on the device of `packed`."""
        library = import_module(f"{PACKAGE}.functional")
        # As one row: the library's kernel for CPUs takes wrong scales for a matrix whose rows are shorter than a block.
        row = torch.Size((1, self._shape.numel()))
        state = library.QuantState(self.absmax, row, self.code, BLOCK, "nf4", torch.float32)
        return library.dequantize_4bit(packed, state).view(self._shape).to(self._dtype)


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, Nf4]:
    """(out, in) -> its bits, uint8 in one row, and what makes numbers of them."""
    library = import_module(f"{PACKAGE}.functional")
    packed, state = library.quantize_4bit(weight.detach().float(), blocksize=BLOCK, quant_type="nf4")
    return packed.flatten(), Nf4(weight.shape, weight.dtype, state.absmax, state.code)
