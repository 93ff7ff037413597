"""The sizes of a decoder of the Llama architecture, read from its config.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow_grpo.policy_server.kernels import LANES


class UnsupportedModel(Exception):
    """The model is not a decoder that this server computes; the message names the property."""


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of a Llama decoder: grouped-query attention, rotary positions, RMS norm, gated SiLU."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    norm_epsilon: float
    rope_theta: float

    @property
    def group(self) -> int:
        """Query heads for each key-value head."""
        return self.heads // self.kv_heads


def read_shape(directory: Path) -> DecoderShape:
    """Read and check config.json. Raises UnsupportedModel."""
    config: dict[str, Any] = json.loads((directory / "config.json").read_text())
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    shape = DecoderShape(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        head_dim=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
        intermediate=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        norm_epsilon=config["rms_norm_eps"],
        rope_theta=float(rope.get("rope_theta") or config["rope_theta"]),
    )
    required = {
        "model_type is llama": config["model_type"] == "llama",
        "hidden_act is silu": config.get("hidden_act") == "silu",
        "attention_bias and mlp_bias are off": not config.get("attention_bias") and not config.get("mlp_bias"),
        "rope_type is default": rope.get("rope_type", "default") == "default",
        f"hidden_size is a multiple of {LANES}": shape.hidden % LANES == 0,
        f"vocab_size is a multiple of {LANES}": shape.vocabulary % LANES == 0,
        f"head_dim is a multiple of {LANES}": shape.head_dim % LANES == 0,
        "heads divide into key-value groups": shape.heads % shape.kv_heads == 0,
    }
    failed = [what for what, holds in required.items() if not holds]
    if failed:
        raise UnsupportedModel(
            f"{directory}: the embedded policy server needs that {'; '.join(failed)}; docs/vllm.md names another server"
        )
    return shape
