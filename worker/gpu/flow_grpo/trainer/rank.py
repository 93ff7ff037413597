"""What one process computes: planners of registered models, and steps, or its part in those of several ranks."""

from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.metrics import Metrics
from flow_grpo.trainer.placement import compute_device, stored_dtype
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.planners import Planners
from flow_grpo.trainer.ranks.group import Ranks
from flow_grpo.trainer.state import TrainerState
from flow_grpo.trainer.step import Progress, StepInputs, take_step


class Rank:
    """Not thread-safe: one call at a time. Each rank gets the same calls in the same order."""

    def __init__(self, models: BaseModels, planners: int, ranks: Ranks | None = None) -> None:
        """`planners`: how many are held. `ranks`: all of them, without which this process computes alone."""
        self._models = models
        self._planners = Planners(planners)
        self._ranks = ranks or Ranks(device=compute_device())

    @property
    def count(self) -> int:
        """Ranks in all."""
        return self._ranks.count

    def planner(self, model: str, weights: Weights, products: str, progress: Progress) -> Planner:
        """The model with what trains in it, ready for products of a dtype and kept from call to call."""
        frozen = stored_dtype(self._ranks.device, products)
        return self._planners.get(
            model, weights, frozen, lambda: self._models.load_planner(model, weights, self._ranks, frozen, progress)
        )

    def take_step(
        self, model: str, state: TrainerState, inputs: StepInputs, progress: Progress
    ) -> tuple[TrainerState, Metrics]:
        """Make state n from state n-1 and batch n; see step.take_step. The state's tensors are rank 0's."""
        training = inputs.batch.metadata.training
        return take_step(self.planner(model, training.weights, training.dtype, progress), state, inputs, progress)

    def close(self) -> None:
        """Nothing is held that another process or thread would miss."""
