"""Loading any causal language model of transformers, and refusing those that would be computed wrongly.

The gradient step runs over prefix trees: attention follows ancestors only, and the head is a plain matrix. A model that
does anything else between its tokens and its logits is refused here, before it trains on wrong numbers.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig

# Settings that change logits or scores where the tree and the closed-form head know nothing of it.
_CAPS = ("attn_logit_softcapping", "final_logit_softcapping", "logits_scaling", "logit_scale")


class UnsupportedModel(Exception):
    """The model is not one that the trainer computes; the message names the reason. No retry can mend it."""


def load_causal_lm(directory: Path, attention: str, context: int) -> Any:
    """The model of a directory, in fp32, with the named attention. `context`: tokens that a sequence may have.

    Safetensors only, no code of the model's own, and every tensor must be there. Raises UnsupportedModel.
    """
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        directory,
        dtype=torch.float32,
        attn_implementation=attention,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
    )
    model, found = loaded
    lost = sorted([*found["missing_keys"], *found["mismatched_keys"]])
    if lost:
        raise UnsupportedModel(f"{directory} lacks {len(lost)} tensors of the model, the first is {lost[0]}")
    check_computable(model, context)
    return model


def check_computable(model: Any, context: int) -> None:
    """Raise UnsupportedModel when the model is not layers of full causal attention with a plain head."""
    config: PretrainedConfig = model.config
    failed = [
        what
        for what, holds in {
            "its decoder is model.layers": hasattr(getattr(model, "model", None), "layers"),
            "its head is lm_head, a linear layer without a bias": isinstance(getattr(model, "lm_head", None), nn.Linear)
            and model.lm_head.bias is None,
            f"its attention window is not below {context} tokens": _window(config) >= context,
            "logits and attention scores are neither capped nor scaled": not any(_caps(config)),
        }.items()
        if not holds
    ]
    if failed:
        raise UnsupportedModel(f"the trainer cannot compute {config.model_type}: it needs that {'; '.join(failed)}")


def _window(config: PretrainedConfig) -> float:
    """Tokens that the shortest attention of the model looks back."""
    types = set(getattr(config, "layer_types", None) or [])
    window = getattr(config, "sliding_window", None)
    if types - {"full_attention", "sliding_attention"}:
        return 0
    return window if window and (not types or "sliding_attention" in types) else float("inf")


def _caps(config: PretrainedConfig) -> list[bool]:
    return [getattr(config, name, None) not in (None, 1, 1.0) for name in _CAPS]
