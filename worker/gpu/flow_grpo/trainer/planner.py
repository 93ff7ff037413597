"""The planner's model: a frozen base, a LoRA adapter, and attention over prefix trees.

The work is dominated by matrix products over all nodes of a tree. Attention over a whole tree of V nodes would cost
V x V although a node sees only its ancestors; here it runs in blocks of nodes with the keys they need.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AttentionInterface

from flow_grpo.causal_lm import load_causal_lm
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.flex_attention import FlexTreeAttention
from flow_grpo.trainer.hyper_parameters import Lora, Optimisation
from flow_grpo.trainer.lora import FrozenLinear, adapter_parameters, attach_lora
from flow_grpo.trainer.placement import place
from flow_grpo.trainer.prefix_tree import PrefixTree
from flow_grpo.trainer.tree_attention import BlockAttention

# Nodes per block of attention: more make larger products, and more pairs that are not looked at.
BLOCK = 128

Beat = Callable[[], None]

TreeAttention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, float], torch.Tensor]
"""(query (H, V, D), key (H_kv, V, D), value (H_kv, V, D), scaling) -> (V, H, D): attention over one tree."""


def _attend(
    _module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: None,
    scaling: float,
    tree_attention: TreeAttention,
    **_unused: Any,
) -> tuple[torch.Tensor, None]:
    """Attention over a tree in the form of transformers' AttentionInterface: the mask lies in `tree_attention`.

    query: (1, H, V, D); key and value: (1, H_kv, V, D). Returns (1, V, H, D).
    """
    return tree_attention(query[0], key[0], value[0], scaling)[None], None


AttentionInterface.register("prefix_tree", _attend)


class Planner:
    """A loaded base model with an adapter whose values are set from outside: it holds no training state."""

    def __init__(self, model: Any, name: str, lora: Lora) -> None:
        """`model`: a causal language model of transformers with attention `prefix_tree`; it is changed in place."""
        attach_lora(model, lora)
        self.model = model.train(False)
        self.name = name
        self.lora = lora
        self.parameters = adapter_parameters(model)
        self._beat: Beat = lambda: None
        self._recompute = False
        self._bf16 = False
        for layer in model.model.layers:
            layer.forward = partial(self._run_layer, layer.forward)
            layer.register_forward_hook(self._on_layer)

    @classmethod
    def load(cls, directory: Path, name: str, lora: Lora, context: int = 1, beat: Beat = lambda: None) -> "Planner":
        """Load the base model of a directory in transformers' format, in fp32 on the CPU. `name`: its registered name.

        `context`: tokens that a sequence may have; `beat` is called about every second. Raises UnsupportedModel.
        """
        return cls(load_causal_lm(directory, "prefix_tree", context, beat), name, lora)

    def place(self, device: torch.device, frozen: torch.dtype) -> None:
        """Compute on `device` from now on, with the frozen matrices stored in dtype `frozen`."""
        place(self.model, device, frozen)

    @property
    def device(self) -> torch.device:
        """Where passes are computed."""
        return next(iter(self.parameters.values())).device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of rows, of what trains, and of all sums."""
        return next(iter(self.parameters.values())).dtype

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return self.model.config.vocab_size

    def shapes(self) -> dict[str, torch.Size]:
        """Shape of each adapter tensor by PEFT's name."""
        return {name: parameter.shape for name, parameter in self.parameters.items()}

    def set_adapter(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Copy an adapter in. Raises WrongIdentity when its names or shapes are not this model's."""
        shapes: dict[str, torch.Size] = {name: tensor.shape for name, tensor in tensors.items()}
        if shapes != self.shapes():
            odd = sorted(n for n in {*shapes, *self.parameters} if shapes.get(n) != self.shapes().get(n))
            raise Failure(
                FailureType.WrongIdentity,
                f"the adapter does not fit {self.name} with rank {self.lora.rank}: {len(odd)} tensors differ, "
                f"the first is {odd[0]}",
            )
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[name])

    def compute_as(self, options: Optimisation) -> None:
        """How passes are computed from now on: the dtype of the layers' products, and gradient checkpointing."""
        self._recompute = options.gradient_checkpointing
        self._bf16 = options.dtype == "bfloat16"
        for module in self.model.modules():
            if isinstance(module, FrozenLinear):
                module.bf16 = self._bf16

    def hidden_states(self, tree: PrefixTree, attention: TreeAttention, beat: Beat) -> torch.Tensor:
        """Last hidden states (V, hidden) of a tree on the planner's device.

        `beat` is called after each layer, forward and backward.
        """
        self._beat = beat
        try:
            output = self.model.model(
                input_ids=tree.tokens[None],
                position_ids=tree.depth[None],
                tree_attention=attention,
                use_cache=False,
            )
        finally:
            self._beat = lambda: None
        return output.last_hidden_state[0]

    def attention(self, tree: PrefixTree) -> TreeAttention:
        """Attention over a tree on the planner's device, in the form that suits it."""
        if self.device.type == "cpu":
            return BlockAttention(attention_blocks(tree, BLOCK))
        return FlexTreeAttention(tree.end, self._bf16)

    @property
    def head_weight(self) -> torch.Tensor:
        """(vocabulary, hidden): the frozen matrix that makes logits of last hidden states."""
        return self.model.lm_head.weight

    def _run_layer(self, forward: Callable[..., torch.Tensor], *args: Any, **kwargs: Any) -> torch.Tensor:
        """A layer's pass. With gradient checkpointing only its input is kept; the way back makes the pass again."""
        if self._recompute and torch.is_grad_enabled():
            forward = partial(checkpoint, forward, use_reentrant=False, preserve_rng_state=False)
        return forward(*args, **kwargs)

    def _on_layer(self, _module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        beat = self._beat
        beat()
        if output.requires_grad:
            output.register_hook(lambda _gradient: beat())
