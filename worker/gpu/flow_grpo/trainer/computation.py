"""What a trainer has computed for it: by its own process alone (rank.py), or by several ranks (ranks/team.py)."""

from typing import Protocol

from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.metrics import Metrics
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.state import TrainerState
from flow_grpo.trainer.step import Progress, StepInputs


class Computation(Protocol):
    """Not thread-safe: one call at a time."""

    @property
    def count(self) -> int:
        """Ranks that make a step together: another number rounds differently."""
        ...

    def planner(self, model: str, weights: Weights, products: str, progress: Progress) -> Planner:
        """The planner of a registered model, for its shapes. Raises Failure (BadConfiguration) as BaseModels does."""
        ...

    def take_step(
        self, model: str, state: TrainerState, inputs: StepInputs, progress: Progress
    ) -> tuple[TrainerState, Metrics]:
        """Make state n from state n-1 and batch n; see step.take_step."""
        ...

    def close(self) -> None:
        """End what runs beside this process."""
        ...
