"""Exports one policy into a new directory."""

import json
from pathlib import Path
from typing import Any

from flow_grpo.export.model_card import model_card
from flow_grpo.export.new_directory import new_directory
from flow_grpo.export.source import Source
from flow_grpo.export.weights import write_adapter, write_merged
from flow_grpo.policy import MANIFEST, file_sha256

README = "README.md"


def export(source: Source, target: Path, merged: bool) -> None:
    """Write the adapter, or the merged weights, with tokenizer, model card and manifest: whole or absent.

    Raises DirectoryInUse where `target` holds anything, PolicyBroken for an adapter that does not fit the base model.
    """
    with new_directory(target) as directory:
        (write_merged if merged else write_adapter)(source, directory)
        (directory / README).write_text(model_card(source, merged, _sha256s(directory)))
        manifest = _manifest(source, merged, _sha256s(directory))
        (directory / MANIFEST).write_text(json.dumps(manifest, sort_keys=True, indent=1) + "\n")


def _manifest(source: Source, merged: bool, files: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": "merged" if merged else "adapter",
        "policy_name": str(source.name),
        "policy_sha256": source.adapter.sha256,
        "base_model": source.adapter.base_model,
        "base_model_sha256": source.base_sha256,
        "identity": source.manifest["identity"],
        "files": files,
    }


def _sha256s(directory: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(directory.iterdir())}
