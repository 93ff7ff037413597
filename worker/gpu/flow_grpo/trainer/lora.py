"""LoRA on the linear layers of a transformers model: y = W x + (alpha / r) B A x, stored in PEFT's format."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from flow_grpo.policy import ADAPTER_PREFIX
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.linear_layer import LinearLayer, replace_linear_layers
from flow_grpo.trainer.nf4 import quantise
from flow_grpo.trainer.products import Unpack, adapted_linear, as_stored, frozen_linear


class FrozenLinear(LinearLayer):
    """A linear layer that does not learn."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__(base)
        self.unpack: Unpack = as_stored
        """Makes the matrix of the weight as it is stored."""

    def hold_in_4_bits(self) -> None:
        """Store the weight in 4 bits from now on, as a row of bytes."""
        packed, self.unpack = quantise(self.base.weight)
        self.base.weight = nn.Parameter(packed, requires_grad=False)

    def _rows(self, x: torch.Tensor) -> torch.Tensor:
        return frozen_linear(x, self.base.weight, self.base.bias, self.bf16, self.unpack)


class LoraLinear(FrozenLinear):
    """A frozen linear layer with a trainable low-rank addition. lora_A: (r, in); lora_B: (out, r)."""

    def __init__(self, base: nn.Linear, lora: Lora) -> None:
        super().__init__(base)
        self.scale = lora.alpha / lora.rank
        self.enabled = True
        self.lora_A = nn.Parameter(torch.zeros(lora.rank, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, lora.rank))

    def _rows(self, x: torch.Tensor) -> torch.Tensor:
        if not self.enabled:
            return super()._rows(x)
        base, adapter = self.base, (self.lora_A, self.lora_B, self.scale)
        return adapted_linear(x, base.weight, base.bias, self.bf16, *adapter, self.unpack)


def attach_lora(model: nn.Module, lora: Lora) -> None:
    """Freeze the model and put a LoraLinear in the place of every target layer, a FrozenLinear of every other."""
    model.requires_grad_(False)
    replace_linear_layers(
        model, lambda name, layer: LoraLinear(layer, lora) if name in lora.targets else FrozenLinear(layer)
    )


def frozen_layers(model: nn.Module) -> list[FrozenLinear]:
    """Those that `attach_lora` put in, with and without an adapter."""
    return [module for module in model.modules() if isinstance(module, FrozenLinear)]


def adapter_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trainable parameters by PEFT's names, sorted."""
    found: dict[str, nn.Parameter] = {}
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            found[f"{ADAPTER_PREFIX}{name}.lora_A.weight"] = module.lora_A
            found[f"{ADAPTER_PREFIX}{name}.lora_B.weight"] = module.lora_B
    return dict(sorted(found.items()))


@contextmanager
def adapter_off(model: nn.Module) -> Iterator[None]:
    """Within the block the model computes as the frozen base."""
    layers = [module for module in model.modules() if isinstance(module, LoraLinear)]
    for layer in layers:
        layer.enabled = False
    try:
        yield
    finally:
        for layer in layers:
            layer.enabled = True


def initial_adapter(shapes: Mapping[str, torch.Size], run_seed: int) -> dict[str, torch.Tensor]:
    """Policy 0: A uniform in +-1/sqrt(in) (Kaiming with a = sqrt 5, as in PEFT), B zero, so that it equals the base.

    Drawn in the order of the sorted names from one generator seeded by hash(run seed, 'init').
    """
    digest = hashlib.sha256(json.dumps([run_seed, "init"]).encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

    def draw(name: str) -> torch.Tensor:
        tensor = torch.zeros(shapes[name])
        if name.endswith("lora_A.weight"):
            bound = 1 / math.sqrt(tensor.shape[1])
            tensor.uniform_(-bound, bound, generator=generator)
        return tensor

    return {name: draw(name) for name in sorted(shapes)}


def adapter_config(model: str, lora: Lora) -> dict[str, object]:
    """PEFT's adapter_config.json; `model` is the registered name of the base."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": model,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "target_modules": sorted(lora.targets),
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "inference_mode": True,
    }
