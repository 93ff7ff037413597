"""The trainer worker's environment, read once at start."""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import torch
from pydantic import (
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from flow_grpo.environment import ArtifactRoot, parse_environment
from flow_grpo.trainer.mismatch import DEFAULT_MISMATCH_LIMIT
from flow_grpo.trainer.trackers import KINDS

REPOSITORY = Path(__file__).parents[4]

NAMES = {
    "database_url": "DATABASE_URL",
    "artifacts": "AGENTFLOW_ARTIFACTS",
    "models_cache": "AGENTFLOW_MODELS_CACHE",
    "operator_file": "AGENTFLOW_OPERATOR_FILE",
    "runs": "AGENTFLOW_TRAINER_RUNS",
    "ranks": "AGENTFLOW_TRAINER_RANKS",
    "replay_checkpoint_seconds": "AGENTFLOW_REPLAY_CHECKPOINT_S",
    "mismatch_limit": "AGENTFLOW_MISMATCH_LIMIT",
    "trackers": "AGENTFLOW_TRACKERS",
    "trackers_directory": "AGENTFLOW_TRACKERS_DIR",
}


def _installed_trackers(value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: known are {', '.join(KINDS)}")
    missing = [KINDS[name].package for name in names if find_spec(KINDS[name].package) is None]
    if missing:
        command = f"uv pip install --python {sys.executable} {' '.join(missing)}"
        raise ValueError(f"not installed: {', '.join(missing)}; run `{command}`")
    return names


class Settings(BaseModel):
    """Typed environment of the trainer worker. Temporal's own variables are read by its client library."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=AliasGenerator(validation_alias=NAMES.__getitem__),
        use_attribute_docstrings=True,
    )

    database_url: SecretStr
    """The database: `postgres://user:password@host:port/database`."""

    artifacts: ArtifactRoot
    """Root of the artifact store, given as `file:///absolute/directory`."""

    models_cache: Path
    """Directory of the dequantised base models. A model that is missing is made there."""

    operator_file: Path = REPOSITORY / "infra" / "local" / "operator.yaml"
    """The operator's file, which registers models by name. An absolute path."""

    runs: int = Field(default=4, ge=1)
    """Runs whose state stays in memory between their steps, and models held for them. Other runs are recovered."""

    ranks: int = Field(default=1, ge=1)
    """Processes that make a step together, one for each GPU of the machine (docs/models.md#several-gpus)."""

    replay_checkpoint_seconds: float = Field(default=20, ge=0)
    """A replay writes a checkpoint if the last is older than so many seconds. So repeated kills do not stop it."""

    mismatch_limit: float = Field(default=DEFAULT_MISMATCH_LIMIT, gt=0)
    """Nats per token that recorded log-probs may differ from the trainer's, on average over a step. If they differ by
    more, the run pauses with `SamplerMismatch`."""

    trackers_directory: Path | None = None
    """Where trackers keep their files. Required with `AGENTFLOW_TRACKERS`. TensorBoard: `tensorboard --logdir` it."""

    trackers: Annotated[tuple[str, ...], BeforeValidator(_installed_trackers)] = ()
    """Trackers that steps are reported to, with commas between them: `tensorboard`, `wandb`, `mlflow`. Each needs its
    Python package. W&B and MLflow read variables of their own."""

    @field_validator("ranks")
    @classmethod
    def _have_gpus(cls, ranks: int) -> int:
        if torch.cuda.is_available() and ranks > torch.cuda.device_count():
            raise ValueError(f"every rank needs a GPU of its own, and {torch.cuda.device_count()} can be used")
        return ranks

    @field_validator("trackers")
    @classmethod
    def _have_a_directory(cls, trackers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if trackers and info.data.get("trackers_directory") is None:
            raise ValueError("needs AGENTFLOW_TRACKERS_DIR, a directory for the trackers' files")
        return trackers


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Parse the environment. Raises BadEnvironment listing every bad variable, without their values."""
    return parse_environment(Settings, environment)
