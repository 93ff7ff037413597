"""The weights of a decoder, laid out for its forward pass: a base model's, or those of any policy that began as it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from flow_grpo.base_model import read_base_model
from flow_grpo.lora_merge import weight_updates
from flow_grpo.policy import Adapter, FullWeights, PolicyBroken
from flow_grpo.policy_server.decoder_shape import DecoderShape
from flow_grpo.policy_server.linear import Linear

# What a model with a tied head may store or not.
_HEAD = "lm_head.weight"

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
    """All of one policy."""

    embedding: torch.Tensor
    layers: tuple[LayerWeights, ...]
    final_norm: np.ndarray
    vocabulary: Linear


class BaseWeights:
    """A base model's tensors, and its own decoder."""

    def __init__(self, directory: Path, shape: DecoderShape) -> None:
        self._tensors = read_base_model(directory)
        self._shape = shape
        vocabulary = Linear(self._tensors.get("lm_head.weight", self._tensors["model.embed_tokens.weight"]))
        self.decoder = _decoder(self._tensors, {}, shape, vocabulary)

    def of(self, policy: Adapter | FullWeights) -> DecoderWeights:
        """The decoder of a policy, in fp32: its own weights, or W + (alpha / r) B A for each adapted projection.

        Raises PolicyBroken if it does not fit.
        """
        if isinstance(policy, Adapter):
            updates = dict(weight_updates(policy, self._tensors))
            return _decoder(self._tensors, updates, self._shape, self.decoder.vocabulary)
        tensors = policy.tensors
        odd = sorted(n for n, tensor in self._tensors.items() if n in tensors and tensors[n].shape != tensor.shape)
        if odd or not tensors.keys() <= self._tensors.keys() or not self._tensors.keys() - tensors.keys() <= {_HEAD}:
            raise PolicyBroken(f"the policy's tensors are not those of model {policy.base_model}")
        vocabulary = Linear(tensors.get(_HEAD, tensors["model.embed_tokens.weight"]))
        return _decoder(tensors, {}, self._shape, vocabulary)


def _decoder(
    tensors: Mapping[str, torch.Tensor], updates: Mapping[str, torch.Tensor], shape: DecoderShape, vocabulary: Linear
) -> DecoderWeights:
    return DecoderWeights(
        embedding=tensors["model.embed_tokens.weight"],
        layers=tuple(_layer(tensors, updates, f"model.layers.{index}.") for index in range(shape.layers)),
        final_norm=tensors["model.norm.weight"].numpy(),
        vocabulary=vocabulary,
    )


def _layer(tensors: Mapping[str, torch.Tensor], updates: Mapping[str, torch.Tensor], prefix: str) -> LayerWeights:
    def product(projections: tuple[str, ...]) -> Linear:
        names = [f"{prefix}{projection}.weight" for projection in projections]
        parts = [tensors[name] + updates[name] if name in updates else tensors[name] for name in names]
        return Linear(torch.cat(parts))

    return LayerWeights(
        attention_norm=tensors[f"{prefix}input_layernorm.weight"].numpy(),
        mlp_norm=tensors[f"{prefix}post_attention_layernorm.weight"].numpy(),
        **{field: product(projections) for field, projections in _PRODUCTS.items()},
    )
