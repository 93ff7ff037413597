"""What the processes of this package share in reading their environment, once at start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from flow_grpo.artifacts import ArtifactOutsideStore, uri_path

S = TypeVar("S", bound=BaseModel)


class BadEnvironment(Exception):
    """Environment variables are missing or malformed; the message lists them all."""


def _from_uri(value: str) -> Path:
    try:
        return uri_path(value)
    except ArtifactOutsideStore as error:
        raise ValueError(str(error)) from None


ArtifactRoot = Annotated[Path, BeforeValidator(_from_uri)]
"""Root of the artifact store, given as `file:///absolute/directory`."""


def parse_environment(settings: type[S], environment: Mapping[str, str]) -> S:
    """Validate the environment. Raises BadEnvironment listing every bad variable, without their values."""
    try:
        return settings.model_validate(dict(environment))
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors(include_input=False))
        raise BadEnvironment(f"environment: {problems}") from None
