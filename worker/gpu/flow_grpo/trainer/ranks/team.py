"""Steps that all ranks of the machine make together, as the trainer worker asks for them."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.metrics import Metrics
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.rank import Rank
from flow_grpo.trainer.ranks.attendance import RankOutOfMemory
from flow_grpo.trainer.ranks.crew import Crew
from flow_grpo.trainer.ranks.messages import Command, LoadPlanner, TakeStep
from flow_grpo.trainer.state import OptimiserState, TrainerState
from flow_grpo.trainer.step import Progress, StepInputs, half_budget

# Between two reports of progress lies at most a layer of a micro-batch, and once for each shape its compilation.
SILENCE_S = 300.0

log = logging.getLogger(__name__)

T = TypeVar("T")


class Team:
    """Not thread-safe: one call at a time. Other ranks run from the first call on; after a failure, from the next."""

    def __init__(self, models: BaseModels, planners: int, count: int, silence_s: float = SILENCE_S) -> None:
        """`planners`: how many each rank holds. `count`: ranks in all.

        `silence_s`: when no rank has advanced for so long, one of them hangs.
        """
        self._models = models
        self._planners = planners
        self._count = count
        self._silence_s = silence_s
        self._crew: Crew | None = None

    @property
    def count(self) -> int:
        """Ranks in all."""
        return self._count

    @property
    def pids(self) -> list[int]:
        """The process ids of the other ranks that run."""
        return self._crew.pids if self._crew else []

    def planner(self, model: str, weights: Weights, products: str, progress: Progress) -> Planner:
        """Have the planner at hand on every rank; returns rank 0's, for its shapes."""
        command = LoadPlanner(model, weights, products)
        return self._together(command, lambda rank, told: rank.planner(model, weights, products, told), progress)

    def take_step(
        self, model: str, state: TrainerState, inputs: StepInputs, progress: Progress
    ) -> tuple[TrainerState, Metrics]:
        """As Rank.take_step. When memory runs out on a rank, new ranks begin anew with half the budget.

        Raises RankLost, which is retried, when a rank is killed, fails or hangs.
        """
        while True:
            command = TakeStep(model, _without_tensors(state), _without_reference(inputs))
            try:
                return self._together(
                    command, lambda rank, told, given=inputs: rank.take_step(model, state, given, told), progress
                )
            except RankOutOfMemory as error:
                inputs = replace(inputs, micro_batch_tokens=half_budget(_budget(inputs), inputs, error))

    def close(self) -> None:
        """End the other ranks. The next call starts new ones."""
        if self._crew:
            crew, self._crew = self._crew, None
            crew.stop()

    def _together(self, command: Command, work: Callable[[Rank, Progress], T], progress: Progress) -> T:
        if self._crew and not self._crew.usable:
            self.close()
        try:
            if not self._crew:
                self._crew = Crew(self._models, self._planners, self._count, self._silence_s)
                self._crew.join(progress)
            return self._crew.together(command, work, progress)
        except BaseException:
            if self._crew and not self._crew.usable:
                self.close()
            raise


def _without_tensors(state: TrainerState) -> TrainerState:
    return replace(state, tensors={}, optimiser=OptimiserState(state.optimiser.updates, {}, {}))


def _without_reference(inputs: StepInputs) -> StepInputs:
    return inputs if inputs.reference is None else replace(inputs, reference={})


def _budget(inputs: StepInputs) -> int:
    return inputs.micro_batch_tokens or inputs.batch.metadata.training.micro_batch_tokens
