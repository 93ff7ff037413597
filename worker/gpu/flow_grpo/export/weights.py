"""The weights of an export: an adapter in PEFT's format, or a whole model, its own or with the adapter merged in."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from flow_grpo.export.source import Source
from flow_grpo.lora_merge import weight_updates
from flow_grpo.model_directory import CONFIG, WEIGHTS_INDEX
from flow_grpo.policy import ADAPTER_CONFIG, ADAPTER_TENSORS, Adapter, FullWeights, PolicyBroken
from flow_grpo.tensor_files import save_tensors

_GENERATION_CONFIG = "generation_config.json"
_TOKENIZER = ("*.json", "*.jinja", "*.model", "*.txt")


def write_adapter(base: Path, base_name: str, adapter: Adapter, directory: Path) -> None:
    """Adapter and tokenizer. `base_name`: of the base model in the configuration."""
    config = {**adapter.config, "base_model_name_or_path": base_name}
    (directory / ADAPTER_CONFIG).write_text(json.dumps(config, sort_keys=True, indent=1) + "\n")
    save_tensors(adapter.tensors, directory / ADAPTER_TENSORS)
    _copy_tokenizer(base, directory)


def write_model(source: Source, directory: Path) -> None:
    """The policy's model in fp32, its configuration and tokenizer; of an adapter, W + (alpha / r) B A.

    In fp32 because updates are small: rounded to bf16, many of them would be lost. Raises PolicyBroken.
    """
    model: Any = AutoModelForCausalLM.from_pretrained(
        source.base, dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    with torch.no_grad():
        parameters = dict(model.named_parameters())
        if isinstance(source.policy, Adapter):
            for name, update in weight_updates(source.policy, parameters):
                parameters[name] += update
        else:
            _copy_in(source.policy, parameters)
    model.save_pretrained(directory)
    _copy_tokenizer(source.base, directory)


def _copy_in(policy: FullWeights, parameters: Mapping[str, torch.Tensor]) -> None:
    shapes = {name: parameter.shape for name, parameter in parameters.items()}
    if {name: tensor.shape for name, tensor in policy.tensors.items()} != shapes:
        raise PolicyBroken(f"the policy's tensors are not those of model {policy.base_model}")
    for name, parameter in parameters.items():
        parameter.copy_(policy.tensors[name])


def _copy_tokenizer(base: Path, directory: Path) -> None:
    """What lies beside the weights in the base model's directory: small files that say how text becomes tokens."""
    of_the_model = {CONFIG, _GENERATION_CONFIG, WEIGHTS_INDEX}
    for path in {path for pattern in _TOKENIZER for path in base.glob(pattern)}:
        if path.name not in of_the_model:
            shutil.copyfile(path, directory / path.name)
