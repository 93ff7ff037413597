"""Small models as an operator would register them: directories in transformers' format, made in the test."""

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}


def small_model(kind: str) -> Any:
    """A causal language model with random weights: `qwen2` (untied head), `qwen2-tied` or `llama`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        if kind == "llama":
            model: Any = LlamaForCausalLM(LlamaConfig(**SIZES, rope_parameters={"rope_theta": 500.0}))
        else:
            model = Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=kind == "qwen2-tied"))
        # Random biases, where there are any: zero would hide a bias that is forgotten.
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter)
    return model


def save_small_model(kind: str, directory: Path, **options: Any) -> Path:
    """Write the model as its operator would keep it. `options`: of transformers' save_pretrained."""
    small_model(kind).save_pretrained(directory, **options)
    return directory


def copy_with_other_weights(model: Path, directory: Path) -> Path:
    """A model of the same shape that computes something else."""
    shutil.copytree(model, directory)
    tensors = load_file(model / "model.safetensors")
    tensors["model.norm.weight"] *= 1.5
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    return directory


def copy_with_other_tokenizer(model: Path, directory: Path) -> Path:
    """The same model, with another chat template."""
    shutil.copytree(model, directory)
    (directory / "chat_template.jinja").write_text("{{ messages }}")
    return directory
