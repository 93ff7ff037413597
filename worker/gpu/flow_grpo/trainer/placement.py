"""Where a planner's model computes, and how its frozen matrices are stored there."""

from typing import Any

import torch


def compute_device() -> torch.device:
    """The GPU that this process uses (CUDA_VISIBLE_DEVICES chooses among several), else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def stored_dtype(device: torch.device, products: str) -> torch.dtype:
    """How frozen matrices are stored for products of this dtype: on an accelerator in bf16 where that is how they are
    used, else in fp32."""
    return torch.bfloat16 if device.type != "cpu" and products == "bfloat16" else torch.float32


def place(model: Any, device: torch.device, frozen: torch.dtype) -> None:
    """Move a model of transformers, with its frozen matrices in dtype `frozen` from now on.

    Vectors (norms, biases) and what trains keep their dtype. So do rows: the embedding's are made fp32 again.
    """
    if frozen != torch.float32:
        for parameter in model.parameters():
            if not parameter.requires_grad and parameter.dim() == 2:
                parameter.data = parameter.data.to(device, frozen)
        if not model.get_input_embeddings().weight.requires_grad:
            model.get_input_embeddings().register_forward_hook(lambda _module, _inputs, rows: rows.float())
    model.to(device)
