"""The planner's model: a frozen base with a LoRA adapter, or one that trains whole, and attention over prefix trees.

The work is dominated by matrix products over all nodes of a tree. Attention over a whole tree of V nodes would cost
V x V although a node sees only its ancestors; here it runs in blocks of nodes with the keys they need.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AttentionInterface

from flow_grpo.causal_lm import UnsupportedModel, load_causal_lm
from flow_grpo.failures import Failure, FailureType
from flow_grpo.model_directory import StoredTensors
from flow_grpo.trainer.attention_blocks import attention_blocks
from flow_grpo.trainer.flex_attention import FlexTreeAttention
from flow_grpo.trainer.full import train_everything
from flow_grpo.trainer.hyper_parameters import Optimisation, Weights
from flow_grpo.trainer.linear_layer import LinearLayer
from flow_grpo.trainer.lora import adapter_off, adapter_parameters, attach_lora, frozen_layers, initial_adapter
from flow_grpo.trainer.placement import place
from flow_grpo.trainer.prefix_tree import PrefixTree
from flow_grpo.trainer.ranks.group import CPU, Ranks
from flow_grpo.trainer.tree_attention import BlockAttention

if TYPE_CHECKING:
    from flow_grpo.trainer.ranks.sharding import Shards

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


def what_trains(model: Any, weights: Weights) -> dict[str, nn.Parameter]:
    """Make a model of transformers ready to train; returns the parameters that do, by name, sorted."""
    if weights.kind == "full":
        return train_everything(model)
    attach_lora(model, weights)
    return adapter_parameters(model)


class Planner:
    """A loaded base model; the values of what trains are set from outside: it holds no training state."""

    def __init__(self, model: Any, name: str, weights: Weights, base: Mapping[str, torch.Tensor]) -> None:
        """`model`: a causal language model of transformers with attention `prefix_tree`; it is changed in place.

        `base`: the base model's tensors by transformers' names, read when they are asked for; only full fine-tuning
        does. Raises UnsupportedModel when it needs a tensor that is not there.
        """
        self.model = model.train(False)
        self.name = name
        self.weights = weights
        self.parameters = what_trains(model, weights)
        """What trains: of several ranks, this one's rows."""
        self.ranks = Ranks()
        self._shapes: dict[str, torch.Size] = {name: parameter.shape for name, parameter in self.parameters.items()}
        self._shards: Shards | None = None
        self._base = base
        if weights.kind == "full":
            self._require_in_base()
        elif weights.base == "nf4":
            for layer in frozen_layers(model):
                layer.hold_in_4_bits()
        self._beat: Beat = lambda: None
        self._recompute = False
        self._bf16 = False
        for layer in model.model.layers:
            layer.forward = partial(self._run_layer, layer.forward)
            layer.register_forward_hook(self._on_layer)

    @classmethod
    def load(cls, directory: Path, name: str, weights: Weights, context: int = 1) -> "Planner":
        """Load the base model of a directory in transformers' format, in fp32 on the CPU. `name`: its registered name.

        `context`: tokens that a sequence may have. Raises UnsupportedModel.
        """
        model = load_causal_lm(directory, "prefix_tree", context)
        return cls(model, name, weights, StoredTensors(directory))

    def place(self, device: torch.device, frozen: torch.dtype) -> None:
        """Compute on `device` from now on, with the frozen matrices stored in dtype `frozen`."""
        place(self.model, device, frozen)

    def share(self, ranks: Ranks, frozen: torch.dtype) -> None:
        """Compute together with other ranks from now on, as one of them: passes are collective then."""
        from flow_grpo.trainer.ranks.sharding import share_out

        place(self.model, CPU, frozen)
        # It goes to the device layer by layer: none holds the whole model at any time.
        self._shards = share_out(self.model, self.parameters, ranks)
        self.parameters = self._shards.rows
        self.ranks = ranks

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
        """Shape of each tensor that trains: an adapter's by PEFT's names, else by transformers'."""
        return self._shapes

    def initial_tensors(self, run_seed: int) -> dict[str, torch.Tensor]:
        """Those of policy 0: a fresh adapter, which changes nothing, or the base model's own in fp32."""
        if self.weights.kind == "lora":
            return initial_adapter(self.shapes(), run_seed)
        return {name: self._base[name].float() for name in self.shapes()}

    def set_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Copy a policy in: that of rank 0. Raises WrongIdentity when its names or shapes are not of what trains."""
        if self.ranks.rank == 0:
            self.check_tensors(tensors)
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.shard(name, tensors))
        self.settle_values()

    def values(self) -> dict[str, torch.Tensor]:
        """A copy of what trains on the CPU; on the other ranks than rank 0, nothing."""
        return self.whole({name: parameter.detach() for name, parameter in self.parameters.items()})

    def shard(self, name: str, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """A copy of this rank's rows of rank 0's tensor for a parameter, beside that parameter."""
        whole = tensors[name] if self.ranks.rank == 0 else None
        return self.ranks.shard(whole, self._shapes[name][0], self.parameters[name])

    def whole(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Copies on the CPU of tensors for parameters, from every rank's rows; on other ranks than rank 0, nothing."""
        found = {name: self.ranks.whole(rows, self._shapes[name][0]) for name, rows in tensors.items()}
        return {name: tensor for name, tensor in found.items() if tensor is not None}

    def settle_gradient(self) -> None:
        """Call it when the gradient of an update is complete: it is in `parameters` then."""
        if self._shards:
            self._shards.settle_gradient()

    def settle_values(self) -> None:
        """Call it when `parameters` have been changed: the model computes with them then."""
        if self._shards:
            self._shards.settle_values()

    def check_tensors(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Raise WrongIdentity when the names or shapes of a policy are not those of what trains."""
        shapes: dict[str, torch.Size] = {name: tensor.shape for name, tensor in tensors.items()}
        if shapes != self.shapes():
            odd = sorted(n for n in {*shapes, *self.parameters} if shapes.get(n) != self.shapes().get(n))
            raise Failure(
                FailureType.WrongIdentity,
                f"the policy does not fit {self.name} with {self.weights}: {len(odd)} tensors differ, the first is "
                f"{odd[0]}",
            )

    @contextmanager
    def as_base(self, beat: Beat) -> Iterator[None]:
        """Within the block the model computes as the base. Afterwards a policy has to be set, unless it is an adapter.

        No second copy of the model is made: an adapter is switched off, and else the base's tensors take the place of
        the policy's. `beat` is called for each of them.
        """
        if self.weights.kind == "lora":
            with adapter_off(self.model):
                yield
            return
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.shard(name, self._base))
                beat()
        self.settle_values()
        yield

    def compute_as(self, options: Optimisation) -> None:
        """How passes are computed from now on: the dtype of the layers' products, and gradient checkpointing."""
        self._recompute = options.gradient_checkpointing
        self._bf16 = options.dtype == "bfloat16"
        for module in self.model.modules():
            if isinstance(module, LinearLayer):
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
        """(vocabulary, hidden): the matrix that makes logits of last hidden states, in the dtype of its products."""
        weight = self.model.lm_head.weight
        return weight.bfloat16() if self._bf16 and self.device.type != "cpu" else weight

    @property
    def head_gradient(self) -> torch.Tensor | None:
        """(vocabulary, hidden): where the gradient by the head's matrix is added up; None where it does not train."""
        weight = self.model.lm_head.weight
        if not weight.requires_grad:
            return None
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
        return weight.grad

    def _require_in_base(self) -> None:
        lost = sorted(self.parameters.keys() - self._base.keys())
        if lost:
            raise UnsupportedModel(
                f"{self.name} cannot be trained in full: {len(lost)} of its parameters are stored under other names "
                f"than transformers has for them, the first is {lost[0]}; train an adapter, or save the model anew"
            )

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
