"""Full fine-tuning: every parameter of a transformers model trains, by transformers' names."""

import torch
from torch import nn

from flow_grpo.trainer.linear_layer import LinearLayer, replace_linear_layers
from flow_grpo.trainer.products import trained_linear


class TrainedLinear(LinearLayer):
    """A linear layer whose weight and bias learn."""

    def _rows(self, x: torch.Tensor) -> torch.Tensor:
        return trained_linear(x, self.base.weight, self.base.bias, self.bf16)


def train_everything(model: nn.Module) -> dict[str, nn.Parameter]:
    """Make every parameter learn; returns them by transformers' names, sorted. What is tied is there once."""
    model.requires_grad_(True)
    parameters = dict(sorted(model.named_parameters()))
    replace_linear_layers(model, lambda _name, layer: TrainedLinear(layer))
    return parameters
