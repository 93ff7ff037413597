"""The layers of a model in shards, one on each rank: FSDP2.

A layer's parameters are gathered when it computes and let go afterwards, and its gradient is added up over the ranks
and dealt out as shards. What is not in a layer (embedding, last norm, head) every rank has whole.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from flow_grpo.trainer.ranks.group import Ranks


def share_out(model: Any, parameters: Mapping[str, nn.Parameter], ranks: Ranks) -> "Shards":
    """Keep this rank's shard of every layer of a model of transformers, on the rank's device, and the rest whole.

    `parameters`: those that train, by name.
    """
    owners = {id(found): (module, key) for module in model.modules() for key, found in module._parameters.items()}
    places = {name: owners[id(parameter)] for name, parameter in parameters.items()}
    _shard_layers(model, ranks)
    for name, child in [*model.model.named_children(), ("lm_head", model.lm_head)]:
        if name != "layers":
            child.to(ranks.device)
    return Shards({name: getattr(module, key) for name, (module, key) in places.items()}, ranks)


def _shard_layers(model: Any, ranks: Ranks) -> None:
    assert dist.group.WORLD is not None
    mesh = DeviceMesh.from_group(dist.group.WORLD, ranks.device.type)
    for layer in model.model.layers:
        fully_shard(layer, mesh=mesh)
        # Gradients are the step's parts: they are added, and not divided by the number of ranks.
        layer.set_gradient_divide_factor(1.0)
        layer.set_force_sum_reduction_for_comms(True)
    in_layers = {id(parameter) for parameter in model.model.layers.parameters()}
    whole = {parameter for parameter in model.model.parameters() if id(parameter) not in in_layers}
    # The root of the layers, which lets each be gathered while the one before it computes.
    fully_shard(model.model, mesh=mesh, ignored_params=whole)


class Shards:
    """This rank's rows of the parameters that train: what it holds of the layers, and updates of the rest."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], ranks: Ranks) -> None:
        """`parameters`: by name, sharded or whole."""
        self._ranks = ranks
        self._sharded = {name: found for name, found in parameters.items() if isinstance(found, DTensor)}
        self._whole = {name: found for name, found in parameters.items() if name not in self._sharded}
        self.rows = {name: nn.Parameter(self._rows(found.detach())) for name, found in parameters.items()}
        """They share their memory with the model."""

    def settle_gradient(self) -> None:
        """Hand the gradient that passes left in the model over to `rows`, added up over the ranks."""
        for name, parameter in self._sharded.items():
            self.rows[name].grad = None if parameter.grad is None else self._rows(parameter.grad)
            parameter.grad = None
        for name, parameter in self._whole.items():
            # A rank that only kept the others company has none.
            mine = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            self.rows[name].grad = self._rows(self._ranks.add(mine)).clone()
            parameter.grad = None

    def settle_values(self) -> None:
        """Bring what ranks hold whole together again, after each has changed its rows."""
        for name, parameter in self._whole.items():
            self._ranks.bring_together(self.rows[name].detach(), parameter.detach())

    def _rows(self, tensor: torch.Tensor) -> torch.Tensor:
        if isinstance(tensor, DTensor):
            return tensor.to_local()
        start, stop = self._ranks.bounds(len(tensor))[self._ranks.rank]
        return tensor[start:stop]
