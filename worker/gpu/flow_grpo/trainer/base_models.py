"""From a registered name to a planner in memory, with heartbeats on the way: 15 GB take their time."""

from dataclasses import dataclass
from pathlib import Path

import torch

from flow_grpo.base_model import UnknownModel, base_model_identity, ensure_base_model, registered_model
from flow_grpo.causal_lm import UnsupportedModel
from flow_grpo.failures import Failure, FailureType
from flow_grpo.model_directory import ModelDirectoryError
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.nf4 import require_bitsandbytes
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.ranks.group import Ranks
from flow_grpo.trainer.step import Progress
from flow_grpo.trainer.tree_check import check_prefix_tree


@dataclass(frozen=True)
class BaseModels:
    """The models of the operator's file and the cache that they are made in."""

    operator_file: Path
    cache: Path

    def identity(self, name: str, progress: Progress) -> dict[str, str]:
        """What a run's artifacts must agree in about the model (I8). Raises Failure as `load_planner` does."""
        return base_model_identity(self.directory(name, progress))

    def directory(self, name: str, progress: Progress) -> Path:
        """The model's directory, digested on first use."""
        try:
            source = registered_model(self.operator_file, name).source
            return ensure_base_model(source, self.cache, lambda: progress("digest of the base model", 0, 1))
        except (UnknownModel, ModelDirectoryError) as error:
            raise Failure(FailureType.BadConfiguration, str(error)) from None

    def load_planner(
        self, name: str, weights: Weights, ranks: Ranks, frozen: torch.dtype, progress: Progress
    ) -> Planner:
        """The model with what trains in it, checked over a small tree, on the device of `ranks`.

        Raises Failure (BadConfiguration) for a name that is not registered, a directory that is not a model, a model
        that the trainer does not compute, and a base in 4 bits without bitsandbytes or on several ranks.
        """
        if weights.kind == "lora" and weights.base == "nf4":
            _require_for_4_bits(ranks)
        directory = self.directory(name, progress)
        context = registered_model(self.operator_file, name).context
        try:
            progress("load model", 0, 3)
            planner = Planner.load(directory, name, weights, context)
            progress("load model", 1, 3)
            # On the CPU in fp32, where rounding hides nothing.
            check_prefix_tree(planner, lambda: progress("load model", 1, 3))
        except UnsupportedModel as error:
            raise Failure(FailureType.BadConfiguration, str(error)) from None
        progress("load model", 2, 3)
        if ranks.count == 1:
            planner.place(ranks.device, frozen)
        else:
            planner.share(ranks, frozen)
        progress("load model", 3, 3)
        return planner


def _require_for_4_bits(ranks: Ranks) -> None:
    if ranks.count > 1:
        raise Failure(
            FailureType.BadConfiguration,
            f"training.weights.base is nf4, which one process computes alone, and this trainer has {ranks.count} "
            "ranks; set AGENTFLOW_TRAINER_RANKS to 1, or base to full-precision",
        )
    require_bitsandbytes()
