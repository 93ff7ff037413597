"""A base model as the operator has it: a directory in transformers' format, with safetensors weights in any number
of files. Nothing is written to it; the cache holds a directory of links to what may be read of it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
CONFIG = "config.json"

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")

# What is linked: neither code nor pickled weights, so that nothing can load them by mistake (I12).
_READ = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")

# transformers would put such an adapter on the model without being asked.
_NEVER_READ = "adapter_*"

# Keys of config.json that say nothing of what the model computes, and differ from version to version of transformers.
_INCIDENTAL = ("_name_or_path", "dtype", "torch_dtype", "transformers_version")

Beat = Callable[[], None]


class ModelDirectoryError(Exception):
    """The operator's directory does not hold a model that can be read; the message names the directory and why."""


class StoredTensors(Mapping[str, torch.Tensor]):
    """The tensors of a directory's weights, each read when it is asked for: never all in memory at once."""

    def __init__(self, directory: Path, beat: Beat = lambda: None) -> None:
        """`beat` is called for each tensor that is read."""
        self._beat = beat
        self._files: dict[str, Path] = {}
        for path in weight_files(directory):
            with safe_open(path, framework="pt") as file:
                self._files |= dict.fromkeys(file.keys(), path)

    def __getitem__(self, name: str) -> torch.Tensor:
        self._beat()
        with safe_open(self._files[name], framework="pt") as file:
            return file.get_tensor(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def weight_files(directory: Path) -> list[Path]:
    """The safetensors files of a model: one, or those that the index names. Raises ModelDirectoryError."""
    if (directory / WEIGHTS).is_file():
        return [directory / WEIGHTS]
    if not (directory / WEIGHTS_INDEX).is_file():
        raise ModelDirectoryError(f"{directory} has neither {WEIGHTS} nor {WEIGHTS_INDEX}: only safetensors are read")
    names = sorted(set(json.loads((directory / WEIGHTS_INDEX).read_text())["weight_map"].values()))
    lost = [name for name in names if Path(name).name != name or not (directory / name).is_file()]
    if lost:
        raise ModelDirectoryError(f"{directory} lacks {', '.join(lost)}, which {WEIGHTS_INDEX} names")
    return [directory / name for name in names]


def readable_files(directory: Path) -> list[Path]:
    """What is read of the operator's directory, sorted by name. Raises ModelDirectoryError."""
    if not (directory / CONFIG).is_file():
        raise ModelDirectoryError(f"{directory} has no {CONFIG}: it is not a model in transformers' format")
    weight_files(directory)
    found = {path for pattern in _READ for path in directory.glob(pattern) if path.is_file()}
    return sorted(path for path in found if not path.match(_NEVER_READ))


def directory_stamp(directory: Path) -> str:
    """Hex digest of where the files lie, their sizes and modification times: another stamp makes a new digest due."""
    entries = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in readable_files(directory)]
    return hashlib.sha256(json.dumps([str(directory.resolve()), entries]).encode()).hexdigest()


def link_files(source: Path, target: Path) -> None:
    """Fill `target` with links to what may be read of `source`."""
    for path in readable_files(source):
        (target / path.name).symlink_to(path.resolve())


def config_sha256(directory: Path) -> str:
    """Hex sha256 of config.json without its incidental keys."""
    config: dict[str, Any] = json.loads((directory / CONFIG).read_text())
    kept = {key: value for key, value in config.items() if key not in _INCIDENTAL}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def tokenizer_sha256(directory: Path) -> str:
    """Hex sha256 over the tokenizer's files that are there, chat template included."""
    digest = hashlib.sha256()
    for name in TOKENIZER_FILES:
        path = directory / name
        data = path.read_bytes() if path.is_file() else b""
        digest.update(json.dumps([name, len(data)]).encode() + data)
    return digest.hexdigest()
