"""Configurations as people have them, made into bodies of requests."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = "application/json"
YAML = "application/yaml"

Configuration = Mapping[str, Any] | str | os.PathLike[str]
"""A mapping, text in YAML or JSON, or a file of such text: a Path, or a string that ends in .yaml, .yml or .json."""


@dataclass(frozen=True)
class Body:
    content: bytes | Path
    """A file is sent piece by piece."""
    content_type: str


def json_body(value: object) -> Body:
    """Numbers and arrays of numpy and torch are written as what they are; NaN and infinity are refused."""
    return Body(json.dumps(value, allow_nan=False, default=plain).encode(), JSON)


def plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"A {type(value).__name__} cannot be written as JSON: {value!r}")


def read_configuration(configuration: Configuration) -> Body:
    """Raises OSError if a file cannot be read."""
    if isinstance(configuration, Mapping):
        return json_body(configuration)
    if isinstance(configuration, str) and not is_file_name(configuration):
        return Body(configuration.encode(), YAML)  # JSON is YAML
    return Body(Path(configuration).read_bytes(), YAML)


def is_file_name(text: str) -> bool:
    return "\n" not in text and text.endswith((".yaml", ".yml", ".json"))
