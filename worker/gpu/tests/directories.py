"""Directory artifacts as tests look at them: with all of their bytes."""

from pathlib import Path
from typing import Any

from flow_grpo.artifacts import check_directory


def load_directory(directory: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and contents, checked. Raises as `check_directory`."""
    manifest = check_directory(directory)
    return manifest, {name: (directory / name).read_bytes() for name in manifest["files"]}
