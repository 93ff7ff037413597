"""What a LoRA adapter adds to the weights of its base model."""

from collections.abc import Iterator, Mapping

import torch

from flow_grpo.policy import ADAPTER_PREFIX, Adapter, PolicyBroken


def weight_updates(adapter: Adapter, tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """Name of a base model's weight (out, in) and what is to be added to it, (alpha / r) B A in fp32, one by one.

    `tensors`: the base model's. Raises PolicyBroken if the adapter does not fit them.
    """
    _require_plain_lora(adapter)
    down = [name for name in adapter.tensors if name.endswith(".lora_A.weight")]
    if 2 * len(down) != len(adapter.tensors):
        raise PolicyBroken(
            f"the adapter holds tensors other than pairs of lora_A and lora_B: {sorted(adapter.tensors)}"
        )
    for name in down:
        a, b = adapter.tensors[name], adapter.tensors.get(name.replace(".lora_A.", ".lora_B."))
        target = name.removeprefix(ADAPTER_PREFIX).replace(".lora_A.weight", ".weight")
        if target not in tensors or b is None or (b.shape[0], a.shape[1]) != tuple(tensors[target].shape):
            raise PolicyBroken(f"the adapter's {name} does not fit model {adapter.base_model}")
        yield target, adapter.scale * (b.float() @ a.float())


def _require_plain_lora(adapter: Adapter) -> None:
    config = adapter.config
    unsupported = [key for key in ("use_rslora", "use_dora", "alpha_pattern", "rank_pattern") if config.get(key)]
    if config.get("peft_type", "LORA") != "LORA":
        unsupported.append("peft_type")
    if unsupported:
        raise PolicyBroken(f"adapter_config.json sets {', '.join(unsupported)}, which is not computed here")
