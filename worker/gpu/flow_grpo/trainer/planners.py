"""The planners that a trainer process holds: base weights are loaded once for all runs with the same adapter shape."""

from collections.abc import Callable

import torch

from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.planner import Planner


class Planners:
    """The latest used planners by model and adapter shape. They hold no training state: any run may use them."""

    def __init__(self, limit: int) -> None:
        """`limit`: how many exist at most; the least recently used one goes before another is loaded."""
        self._limit = limit
        self._planners: dict[tuple[str, Weights, torch.dtype], Planner] = {}

    def get(self, model: str, weights: Weights, frozen: torch.dtype, load: Callable[[], Planner]) -> Planner:
        """The planner of a registered model with these weights to train and its frozen matrices in this dtype.

        Raises what `load` raises.
        """
        planner = self._planners.pop((model, weights, frozen), None)
        if planner is None:
            while len(self._planners) >= self._limit:
                del self._planners[next(iter(self._planners))]
            planner = load()
        self._planners[model, weights, frozen] = planner
        return planner
