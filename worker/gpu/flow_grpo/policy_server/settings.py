"""The policy server's environment, read once at start."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field

from flow_grpo.environment import ArtifactRoot, parse_environment

REPOSITORY = Path(__file__).parents[4]

NAMES = {
    "artifacts": "AGENTFLOW_ARTIFACTS",
    "models_cache": "AGENTFLOW_MODELS_CACHE",
    "operator_file": "AGENTFLOW_OPERATOR_FILE",
    "request_log": "AGENTFLOW_REQUEST_LOG",
    "port": "AGENTFLOW_POLICY_SERVER_PORT",
    "policies": "AGENTFLOW_POLICY_SERVER_POLICIES",
    "cache_mib": "AGENTFLOW_POLICY_SERVER_CACHE_MIB",
}


class Settings(BaseModel):
    """Typed environment of the policy server."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=AliasGenerator(validation_alias=NAMES.__getitem__),
        use_attribute_docstrings=True,
    )

    artifacts: ArtifactRoot
    """Root of the artifact store, given as `file:///absolute/directory`."""

    models_cache: Path
    """Directory of the dequantised base models. A model that is missing is made there."""

    operator_file: Path = REPOSITORY / "infra" / "local" / "operator.yaml"
    """The operator's file, which registers models by name. An absolute path."""

    request_log: Path
    """JSON lines, one for each accepted request. A file has at most 64 MiB; four older ones stay (`.1` to `.4`)."""

    port: int = Field(default=8460, ge=1, le=65535)
    """Port on 127.0.0.1."""

    policies: int = Field(default=2, ge=1)
    """How many policies of runs stay in memory, each a whole model. One that a request uses is never dropped."""

    cache_mib: int = Field(default=1536, ge=1)
    """MiB of the prefix cache of a base model at most. It always holds one sequence of the whole context."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Parse the environment. Raises BadEnvironment listing every bad variable, without their values."""
    return parse_environment(Settings, environment)
