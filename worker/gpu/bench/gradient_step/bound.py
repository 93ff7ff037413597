"""How fast a gradient step could be: its matrix products alone, at the rate that this machine reaches on them.

Per distinct token 2 FLOPs per weight forward, 2 backward (the base is frozen: only the gradient by the input), 2 for
the reference pass; the head at sampled positions only, likewise. Not counted: attention, the adapter, norms,
activations, the optimiser. Attention is measured by itself, to be taken off the step's time before the comparison.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from bench.gradient_step.stopwatch import Stopwatch
from flow_grpo.trainer.lora import LoraLinear
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.prefix_tree import PrefixTree
from flow_grpo.trainer.products import product

REPEATS = 5


@dataclass(frozen=True)
class Bound:
    """Of one step; times by the processor's clock."""

    flops: float
    seconds: float
    """What the products take at the measured rates."""
    attention_seconds: float
    """What our attention takes, all layers and passes."""

    @property
    def rate(self) -> float:
        """FLOPs per second of the products, all shapes together."""
        return self.flops / self.seconds


def measure_bound(planner: Planner, tree: PrefixTree, reference: bool) -> Bound:
    """Measure the products of a step over one tree, each shape by itself, and its attention."""
    passes = 3 if reference else 2
    layers = Counter(
        tuple(module.base.weight.shape) for module in planner.model.modules() if isinstance(module, LoraLinear)
    )
    sampled = len(torch.unique(tree.action_node))
    products = [(tree.size, shape, count) for shape, count in layers.items()]
    products.append((sampled, tuple(planner.head_weight.shape), 1))
    flops = seconds = 0.0
    for rows, (outputs, inputs), count in products:
        forward, backward = _seconds_of_products(rows, outputs, inputs)
        flops += passes * count * 2.0 * rows * outputs * inputs
        seconds += count * (forward * (passes - 1) + backward)
    return Bound(flops, seconds, _attention_seconds(planner, tree, passes))


def _seconds_of_products(rows: int, outputs: int, inputs: int) -> tuple[float, float]:
    """Of x W^T and of y W, by whichever of our product and torch's own is faster."""
    x, y, weight = torch.randn(rows, inputs), torch.randn(rows, outputs), torch.randn(outputs, inputs)
    forward = min(_best(lambda: product(x, weight)), _best(lambda: F.linear(x, weight)))
    backward = min(_best(lambda: product(y, weight.t())), _best(lambda: y @ weight))
    return forward, backward


def _attention_seconds(planner: Planner, tree: PrefixTree, passes: int) -> float:
    config = planner.model.config
    heads, shared = config.num_attention_heads, config.num_key_value_heads
    width = config.hidden_size // heads
    inputs = [torch.randn(count, tree.size, width, requires_grad=True) for count in (heads, shared, shared)]
    direction = torch.randn(tree.size, heads, width)
    attention = planner.attention(tree)

    def forward() -> torch.Tensor:
        with torch.no_grad():
            return attention(inputs[0], inputs[1], inputs[2], width**-0.5)

    def both() -> None:
        torch.autograd.grad(attention(inputs[0], inputs[1], inputs[2], width**-0.5), inputs, direction)

    return config.num_hidden_layers * (_best(both) + (passes - 2) * _best(forward))


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some repetitions, by the processor's clock: see Stopwatch."""
    times: list[float] = []
    for _ in range(REPEATS):
        watch = Stopwatch()
        work()
        times.append(watch.read().processor)
    return min(times)
