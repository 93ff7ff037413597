"""The planner's model: a frozen base, a LoRA adapter, and attention over prefix trees.

The work is dominated by matrix products over all nodes of a tree. Attention over a whole tree of V nodes would cost
V x V although a node sees only its ancestors; here it runs in blocks of queries with the keys they need.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from transformers import AttentionInterface, AutoModelForCausalLM

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.batch import Lora
from flow_grpo.trainer.lora import adapter_parameters, attach_lora
from flow_grpo.trainer.prefix_tree import AttentionBlocks, PrefixTree, attention_blocks

# Queries per block of attention: measured on a quickstart batch, where 32 to 128 cost about the same.
BLOCK = 64

Beat = Callable[[], None]


def tree_attention(
    _module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float,
    tree_keys: torch.Tensor,
    **_unused: Any,
) -> tuple[torch.Tensor, None]:
    """Attention in blocks, in the form of transformers' AttentionInterface.

    The heads that share a key head are stacked as more queries of it, so that no key is copied for them.
    query: (1, H, V, D); key and value: (1, H_kv, V, D); attention_mask: (U, 1, H/H_kv * Q, K); tree_keys: (U, K).
    Returns (1, V, H, D).
    """
    _, heads, nodes, width = query.shape
    shared, blocks = key.shape[1], len(tree_keys)
    size = attention_mask.shape[2] * shared // heads

    def gather(x: torch.Tensor) -> torch.Tensor:
        rows = x[0].transpose(0, 1).reshape(nodes, -1).index_select(0, tree_keys.flatten())
        return rows.view(blocks, -1, shared, width).transpose(1, 2)

    padded = F.pad(query[0].transpose(0, 1), (0, 0, 0, 0, 0, blocks * size - nodes))
    queries = padded.view(blocks, size, shared, -1, width).permute(0, 2, 3, 1, 4).reshape(blocks, shared, -1, width)
    out = F.scaled_dot_product_attention(queries, gather(key), gather(value), attn_mask=attention_mask, scale=scaling)
    rows = out.view(blocks, shared, -1, size, width).permute(0, 3, 1, 2, 4).reshape(1, -1, heads, width)
    return rows[:, :nodes], None


AttentionInterface.register("prefix_tree", tree_attention)


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
        for layer in model.model.layers:
            layer.register_forward_hook(self._on_layer)

    @classmethod
    def load(cls, directory: Path, name: str, lora: Lora) -> "Planner":
        """Load the base model of a directory in transformers' format, in fp32. `name`: its registered name."""
        model = AutoModelForCausalLM.from_pretrained(
            directory, dtype=torch.float32, attn_implementation="prefix_tree", local_files_only=True
        )
        return cls(model, name, lora)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of all arithmetic."""
        return self.model.dtype

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

    def hidden_states(self, tree: PrefixTree, blocks: AttentionBlocks, beat: Beat) -> torch.Tensor:
        """Last hidden states (V, hidden) of a tree; `beat` is called after each layer, forward and backward."""
        self._beat = beat
        try:
            output = self.model.model(
                input_ids=tree.tokens[None],
                position_ids=tree.depth[None],
                attention_mask=blocks.mask,
                tree_keys=blocks.keys,
                use_cache=False,
            )
        finally:
            self._beat = lambda: None
        return output.last_hidden_state[0]

    def blocks(self, tree: PrefixTree) -> AttentionBlocks:
        """The tree's attention blocks in this model's dtype, the mask repeated for the heads that share a key head."""
        blocks = attention_blocks(tree, BLOCK, self.dtype)
        config = self.model.config
        shared = config.num_attention_heads // config.num_key_value_heads
        return AttentionBlocks(keys=blocks.keys, mask=blocks.mask.repeat(1, 1, shared, 1))

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(R, hidden) -> (R, vocabulary)."""
        return self.model.lm_head(hidden)

    def _on_layer(self, _module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        beat = self._beat
        beat()
        if output.requires_grad:
            output.register_hook(lambda _gradient: beat())
