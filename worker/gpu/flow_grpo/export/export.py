"""Exports one policy into a new directory."""

import json
from pathlib import Path
from typing import Any

from flow_grpo.export.model_card import model_card
from flow_grpo.export.new_directory import new_directory
from flow_grpo.export.source import Source
from flow_grpo.export.weights import write_adapter, write_model
from flow_grpo.policy import MANIFEST, Adapter, file_sha256

README = "README.md"


def export(source: Source, target: Path, merged: bool, base_name: str) -> None:
    """Write the adapter, or the weights of the whole model, with tokenizer, model card and manifest: whole or absent.

    `merged`: an adapter is merged into its base model. `base_name`: what an adapter calls that one. Raises
    DirectoryInUse where `target` holds anything, PolicyBroken for a policy that does not fit the base model.
    """
    adapter = source.policy if isinstance(source.policy, Adapter) and not merged else None
    with new_directory(target) as directory:
        if adapter:
            write_adapter(source.base, base_name, adapter, directory)
        else:
            write_model(source, directory)
        (directory / README).write_text(model_card(source, adapter, _sha256s(directory)))
        manifest = _manifest(source, _kind(source, merged), _sha256s(directory))
        (directory / MANIFEST).write_text(json.dumps(manifest, sort_keys=True, indent=1) + "\n")


def _kind(source: Source, merged: bool) -> str:
    if source.whole:
        return "full"
    return "merged" if merged else "adapter"


def _manifest(source: Source, kind: str, files: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": kind,
        "policy_name": str(source.name),
        "policy_sha256": source.policy.sha256,
        "base_model": source.policy.base_model,
        "base_model_sha256": source.base_sha256,
        "identity": source.manifest["identity"],
        "files": files,
    }


def _sha256s(directory: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(directory.iterdir())}
