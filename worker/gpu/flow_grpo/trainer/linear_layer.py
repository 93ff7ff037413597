"""What stands in the place of a model's linear layers: products over rows, of the dtype that a step asks for."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class LinearLayer(nn.Module):
    """y = W x + b in place of a layer `base`, whose weight and bias it keeps."""

    def __init__(self, base: Any) -> None:
        super().__init__()
        self.base = base
        self.bf16 = False
        """Whether products with the weight take their operands in bf16."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (..., in) -> (..., out)."""
        return self._rows(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], -1)

    @abstractmethod
    def _rows(self, x: torch.Tensor) -> torch.Tensor:
        """x: (R, in) -> (R, out)."""


def replace_linear_layers(model: nn.Module, make: Callable[[str, nn.Linear], LinearLayer]) -> None:
    """Put `make(name, layer)` in the place of every linear layer; `name` is its last part, as in q_proj.

    The head stays as it is: the trainer computes it by itself.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear) and name != "lm_head":
                setattr(module, name, make(name, child))
