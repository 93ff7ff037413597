"""The weights of a decoder, laid out for its forward pass, with or without a LoRA adapter merged in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from flow_grpo.base_model import read_base_model
from flow_grpo.lora_merge import weight_updates
from flow_grpo.policy import Adapter
from flow_grpo.policy_server.decoder_shape import DecoderShape
from flow_grpo.policy_server.linear import Linear

# The products of a layer; projections of the same input are one product.
_PRODUCTS = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attention_output": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}


@dataclass(frozen=True)
class LayerWeights:
    """One decoder layer. Products take rows (R, inputs)."""

    attention_norm: np.ndarray
    qkv: Linear
    attention_output: Linear
    mlp_norm: np.ndarray
    gate_up: Linear
    down: Linear


@dataclass(frozen=True)
class DecoderWeights:
    """All layers of one policy."""

    layers: tuple[LayerWeights, ...]


class BaseWeights:
    """A base model's tensors, what its policies share (embedding and vocabulary), and its own layers."""

    def __init__(self, directory: Path, shape: DecoderShape) -> None:
        self._tensors = read_base_model(directory)
        self._shape = shape
        self.embedding = self._tensors["model.embed_tokens.weight"]
        self.vocabulary = Linear(self._tensors.get("lm_head.weight", self.embedding))
        self.final_norm = self._tensors["model.norm.weight"].numpy()
        self.decoder = self._decoder({})

    def merge(self, adapter: Adapter) -> DecoderWeights:
        """W + (alpha / r) B A for each adapted projection, in fp32. Raises PolicyBroken if it does not fit."""
        return self._decoder(dict(weight_updates(adapter, self._tensors)))

    def _decoder(self, updates: Mapping[str, torch.Tensor]) -> DecoderWeights:
        return DecoderWeights(tuple(self._layer(index, updates) for index in range(self._shape.layers)))

    def _layer(self, index: int, updates: Mapping[str, torch.Tensor]) -> LayerWeights:
        prefix = f"model.layers.{index}."

        def product(projections: tuple[str, ...]) -> Linear:
            names = [f"{prefix}{projection}.weight" for projection in projections]
            parts = [self._tensors[name] + updates[name] if name in updates else self._tensors[name] for name in names]
            return Linear(torch.cat(parts))

        return LayerWeights(
            attention_norm=self._tensors[f"{prefix}input_layernorm.weight"].numpy(),
            mlp_norm=self._tensors[f"{prefix}post_attention_layernorm.weight"].numpy(),
            **{field: product(projections) for field, projections in _PRODUCTS.items()},
        )
