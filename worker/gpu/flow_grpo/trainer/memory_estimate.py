"""Memory of a gradient step, from the model's config.json and the hyper-parameters alone: nothing is loaded.

Parameters are counted on torch's meta device. Activations are what the layers of this trainer keep for the way back:
rows in fp32, whatever the dtype of the products. States before and after a step, moments included, lie in the memory of
the CPU; where that is not the device, they are not counted.

Of several ranks the estimate is rank 0's, which also hands moments out. Layers lie in shards, with what trains in them
and its gradient; embedding, last norm and head are whole on each rank, and so are the rows of its micro-batches.

Letters: V tokens of a micro-batch, L layers, D hidden size, I size of the feed-forward layer, H x W heads by their
width, K x W key heads by theirs, r rank, C vocabulary.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from flow_grpo.trainer.head import rows_at_once
from flow_grpo.trainer.hyper_parameters import Optimisation
from flow_grpo.trainer.lora import frozen_layers
from flow_grpo.trainer.nf4 import BYTES as NF4_BYTES
from flow_grpo.trainer.planner import what_trains

FLOAT = 4
"""Bytes of an fp32 number."""

# The device's own code and libraries, and what an allocator cannot use.
RUNTIME_BYTES = 2**30


@dataclass(frozen=True)
class Part:
    """A line of the estimate."""

    name: str
    bytes: int
    how: str


@dataclass(frozen=True)
class Sizes:
    """What of a model decides its memory. `parameters` includes the head; a tied one counts once."""

    parameters: int
    trained: int
    """Those that train: an adapter's, or all."""
    layers: int
    hidden: int
    intermediate: int
    heads: int
    """H x W."""
    key_heads: int
    """K x W."""
    adapter_rows: int
    """Numbers that the adapters of one layer keep for each token: r for each of its adapted projections; else 0."""
    vocabulary: int
    quantised: int
    """Of the parameters, those that are held in 4 bits."""
    in_layers: int
    """Of the parameters, those of layers, which ranks share out."""
    trained_in_layers: int
    """The same of those that train."""


def model_sizes(config_file: Path, training: Optimisation) -> Sizes:
    """Sizes of the model that a config.json describes, with what trains of it or beside it."""
    config: Any = AutoConfig.from_pretrained(config_file, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        in_layers = sum(parameter.numel() for parameter in model.model.layers.parameters())
        trained = what_trains(model, training.weights)
        matrices = sum(layer.base.weight.numel() for layer in frozen_layers(model))
        trained_in_layers = sum(found.numel() for found in model.model.layers.parameters() if found.requires_grad)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    layers = config.num_hidden_layers
    return Sizes(
        parameters=parameters,
        trained=sum(parameter.numel() for parameter in trained.values()),
        layers=layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        heads=config.num_attention_heads * width,
        key_heads=config.num_key_value_heads * width,
        adapter_rows=training.weights.rank * len(trained) // 2 // layers if training.weights.kind == "lora" else 0,
        vocabulary=config.vocab_size,
        quantised=matrices if _in_4_bits(training) else 0,
        in_layers=in_layers,
        trained_in_layers=trained_in_layers,
    )


def estimate(sizes: Sizes, training: Optimisation, accelerated: bool, ranks: int = 1) -> list[Part]:
    """What a step holds at its peak, in the order of the table. `accelerated`: on a GPU, else on the CPU.

    Of several `ranks`: what one of them holds.
    """
    tokens, shared = training.micro_batch_tokens, f", layers in {ranks} shards" if ranks > 1 else ""
    trained = _shard(sizes.trained, sizes.trained_in_layers, ranks)
    return [
        *([_frozen(sizes, training, accelerated, ranks, shared)] if training.weights.kind == "lora" else []),
        _trained(sizes, trained, accelerated, shared),
        Part("gradient", FLOAT * trained, f"fp32{shared}"),
        _optimiser(sizes, training, accelerated, ranks),
        _activations(sizes, training),
        *([_gathered(sizes, training, accelerated)] if ranks > 1 else []),
        Part("one layer's way back", FLOAT * tokens * _working(sizes) + _cast(sizes, training), f"{tokens} tokens"),
        Part("head", _head(sizes, training, accelerated), "a token sampled at every node; logits in pieces"),
        Part("runtime", RUNTIME_BYTES, "libraries and fragmentation"),
    ]


def _shard(numbers: int, in_layers: int, ranks: int) -> int:
    """What of so many numbers one rank holds."""
    return numbers - in_layers + -(-in_layers // ranks)


def _frozen(sizes: Sizes, training: Optimisation, accelerated: bool, ranks: int, shared: str) -> Part:
    dtype, size = _stored(training, accelerated)
    numbers = _shard(sizes.parameters, sizes.in_layers, ranks)
    held = int(NF4_BYTES * sizes.quantised) + size * (numbers - sizes.quantised)
    packed = f" ({sizes.quantised / 1e9:.2f} of them nf4)" if sizes.quantised else ""
    return Part("base weights", held, f"{sizes.parameters / 1e9:.2f} billion, {dtype}{packed}, frozen{shared}")


def _stored(training: Optimisation, accelerated: bool) -> tuple[str, int]:
    """How frozen matrices are held: the name of the dtype, and the bytes of a number."""
    return ("bf16", FLOAT // 2) if accelerated and training.dtype == "bfloat16" else ("fp32", FLOAT)


def _trained(sizes: Sizes, in_use: int, accelerated: bool, shared: str) -> Part:
    states, how = (0, "in use") if accelerated else (2, "in use, before, after")
    numbers = in_use + states * sizes.trained
    return Part("what trains", FLOAT * numbers, f"{sizes.trained / 1e6:.1f} million, fp32: {how}{shared}")


def _optimiser(sizes: Sizes, training: Optimisation, accelerated: bool, ranks: int) -> Part:
    if not accelerated:
        return Part("optimiser", 4 * FLOAT * sizes.trained, "AdamW: two moments, before and after")
    largest = sizes.vocabulary * sizes.hidden if training.weights.kind == "full" else 0
    # To be handed out, a moment passes rank 0 whole, and once more in pieces.
    numbers = 4 * largest if ranks == 1 else 2 * largest + 4 * -(-largest // ranks)
    return Part("optimiser", FLOAT * numbers, "AdamW: moments visit the device one parameter at a time")


def _gathered(sizes: Sizes, training: Optimisation, accelerated: bool) -> Part:
    """Two layers whole, the one that computes and the next, each with the gradient of what trains in it."""
    _, size = _stored(training, accelerated)
    frozen = size * sizes.in_layers if training.weights.kind == "lora" else 0
    of_layers = frozen + 2 * FLOAT * sizes.trained_in_layers
    return Part("gathered layers", 2 * of_layers // sizes.layers, "two at a time, with their gradients")


def _activations(sizes: Sizes, training: Optimisation) -> Part:
    tokens, layer = training.micro_batch_tokens, _kept_of_a_layer(sizes)
    if training.gradient_checkpointing:
        numbers = sizes.layers * sizes.hidden + layer
        how = f"{tokens} tokens: the input of each layer, and one layer in full"
    else:
        numbers = sizes.layers * layer
        how = f"{tokens} tokens: every layer in full, without gradient checkpointing"
    return Part("activations", FLOAT * tokens * numbers, how)


def _kept_of_a_layer(sizes: Sizes) -> int:
    """Numbers for each token: two norms of three rows, attention, the feed-forward layer, the adapters' low ranks."""
    attention = 2 * sizes.heads + 2 * sizes.key_heads
    return 6 * sizes.hidden + attention + 4 * sizes.intermediate + sizes.adapter_rows


def _working(sizes: Sizes) -> int:
    """Numbers for each token that come and go: gradients of the feed-forward layer's rows, and of the residual."""
    return 3 * sizes.intermediate + 2 * sizes.hidden


def _cast(sizes: Sizes, training: Optimisation) -> int:
    """Bytes of the largest weight in bf16, and of the fp32 matrix that its 4 bits are made again."""
    each = (2 if training.dtype == "bfloat16" else 0) + (FLOAT if sizes.quantised else 0)
    return each * sizes.hidden * sizes.intermediate


def _in_4_bits(training: Optimisation) -> bool:
    return training.weights.kind == "lora" and training.weights.base == "nf4"


def _head(sizes: Sizes, training: Optimisation, accelerated: bool) -> int:
    """Hidden states, what the head expects, and the gradient; a piece of logits, its softmax and a copy.

    Where head and embedding train, also the part that a micro-batch adds to the gradient of either.
    """
    slope = 1 if getattr(training, "entropy_coefficient", 0) > 0 else 0
    rows = min(training.micro_batch_tokens, rows_at_once(sizes.vocabulary, "cuda" if accelerated else "cpu"))
    matrix = sizes.vocabulary * sizes.hidden if training.weights.kind == "full" else 0
    return FLOAT * ((4 + slope) * training.micro_batch_tokens * sizes.hidden + 3 * rows * sizes.vocabulary + matrix)
