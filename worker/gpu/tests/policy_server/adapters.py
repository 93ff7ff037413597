"""Adapter directories for tests, made with PEFT itself, so that the format is PEFT's and not ours."""

import hashlib
import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from flow_grpo.policy import policy_directory, tensors_sha256

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def peft_model(base: Path, seed: int) -> PeftModel:
    """A base model with a random adapter on all linear layers."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=LINEAR))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    return adapted


def write_policy(root: Path, run: str, step: int, model: PeftModel, base_name: str, **config: object) -> str:
    """Write policy `<run>@<step>`, with `config` added to its configuration; returns its sha256."""
    directory = policy_directory(root, run, step)
    directory.mkdir(parents=True)
    tensors = {name: tensor.detach().contiguous() for name, tensor in get_peft_model_state_dict(model).items()}
    save_file(tensors, directory / "adapter_model.safetensors")
    shape = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": LINEAR}
    config = {**shape, "base_model_name_or_path": base_name, **config}
    (directory / "adapter_config.json").write_text(json.dumps(config))
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}
    sha256 = tensors_sha256(tensors)
    (directory / "manifest.json").write_text(json.dumps({"files": files, "policy_sha256": sha256}))
    return sha256
