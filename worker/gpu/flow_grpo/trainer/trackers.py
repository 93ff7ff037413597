"""The trackers of experiments that a trainer can report to, through accelerate: how each is opened for a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from accelerate.tracking import GeneralTracker, MLflowTracker, TensorBoardTracker, WandBTracker

PROJECT = "agentflow"
"""W&B's project and MLflow's experiment."""

Open = Callable[[str, Path], GeneralTracker]
"""Makes the tracker of a training run, not yet started, from the run's id and the directory of the trackers."""


@dataclass(frozen=True)
class Kind:
    """A tracker that can be named in AGENTFLOW_TRACKERS. Its package is not a dependency of this one."""

    package: str
    open: Open
    at_once: int
    """How many runs of a process may be open."""


def _tensorboard(run_id: str, directory: Path) -> GeneralTracker:
    return TensorBoardTracker(run_id, directory)


def _wandb(run_id: str, directory: Path) -> GeneralTracker:
    # The run's id is W&B's, so that another process goes on with the same run. The process's own output is not sent.
    settings = {"console": "off", "silent": True}
    return WandBTracker(
        PROJECT, id=run_id, name=run_id, resume="allow", reinit="create_new", dir=str(directory), settings=settings
    )


def _mlflow(run_id: str, directory: Path) -> GeneralTracker:
    mlflow = import_module("mlflow")
    if not mlflow.is_tracking_uri_set():
        mlflow.set_tracking_uri(f"sqlite:///{directory / 'mlflow.db'}")
    # MLflow makes its own ids: another process finds the run by its name.
    found = mlflow.search_runs(
        experiment_names=[PROJECT], filter_string=f"attributes.run_name = '{run_id}'", output_format="list"
    )
    return MLflowTracker(PROJECT, run_id=found[0].info.run_id if found else None, run_name=run_id)


KINDS: Mapping[str, Kind] = {
    "tensorboard": Kind("tensorboard", _tensorboard, 8),
    "wandb": Kind("wandb", _wandb, 8),
    "mlflow": Kind("mlflow", _mlflow, 1),
}
