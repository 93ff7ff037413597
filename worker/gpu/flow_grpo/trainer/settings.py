"""The trainer worker's environment, read once at start."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, SecretStr

from flow_grpo.environment import ArtifactRoot, parse_environment

REPOSITORY = Path(__file__).parents[4]

NAMES = {
    "database_url": "DATABASE_URL",
    "artifacts": "AGENTFLOW_ARTIFACTS",
    "models_cache": "AGENTFLOW_MODELS_CACHE",
    "operator_file": "AGENTFLOW_OPERATOR_FILE",
    "runs": "AGENTFLOW_TRAINER_RUNS",
    "replay_checkpoint_seconds": "AGENTFLOW_REPLAY_CHECKPOINT_S",
}


class Settings(BaseModel):
    """Typed environment of the trainer worker. Temporal's own variables are read by its client library."""

    model_config = ConfigDict(frozen=True, alias_generator=AliasGenerator(validation_alias=NAMES.__getitem__))

    database_url: SecretStr
    """PostgreSQL connection string."""

    artifacts: ArtifactRoot
    """Root of the artifact store, given as `file:///absolute/directory`."""

    models_cache: Path
    """Directory of the dequantised base models."""

    operator_file: Path = REPOSITORY / "infra" / "local" / "operator.yaml"
    """The operator's file, which registers models by name."""

    runs: int = Field(default=4, ge=1)
    """Training runs whose state is held in memory between their steps, and models that are held for them."""

    replay_checkpoint_seconds: float = Field(default=20, ge=0)
    """A replay writes a checkpoint when the last is older than this, so that repeated kills still advance."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Parse the environment. Raises BadEnvironment listing every bad variable, without their values."""
    return parse_environment(Settings, environment)
