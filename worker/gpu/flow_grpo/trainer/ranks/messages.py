"""What rank 0 and its followers tell each other, through a pipe that only they hold."""

from dataclasses import dataclass

from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.state import TrainerState
from flow_grpo.trainer.step import StepInputs


@dataclass(frozen=True)
class Join:
    """Join the group; the first command."""

    rank: int
    count: int
    port: int
    """Of the store where the ranks meet."""
    threads: int
    models: BaseModels
    planners: int
    """How many a rank holds."""


@dataclass(frozen=True)
class LoadPlanner:
    """Have a planner at hand."""

    model: str
    weights: Weights
    products: str


@dataclass(frozen=True)
class TakeStep:
    """Take part in a step. Tensors are left out: rank 0 deals them."""

    model: str
    state: TrainerState
    inputs: StepInputs


Command = Join | LoadPlanner | TakeStep


@dataclass(frozen=True)
class Ready:
    """The follower runs and waits for the first command to be carried out."""


@dataclass(frozen=True)
class Advanced:
    """The follower has computed something; sent about every second."""


@dataclass(frozen=True)
class Done:
    """A command was carried out, or was refused with a failure of the closed list."""

    failure: str | None


@dataclass(frozen=True)
class Broken:
    """The follower can not go on, and ends."""

    message: str
    out_of_memory: bool


Report = Ready | Advanced | Done | Broken
