"""How much memory a run's gradient step needs, before anything is loaded: python -m flow_grpo.estimate

Reads a run's configuration as JSON with every default filled in, as `agentflow train FILE --dry-run` passes it on, and
the model's config.json, from the operator's file or as it is given. Policy servers are not counted.
"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from transformers import AutoConfig

from flow_grpo.base_model import UnknownModel, find_model
from flow_grpo.model_directory import CONFIG, ModelDirectoryError
from flow_grpo.trainer.memory_estimate import Part, Sizes, estimate, model_sizes
from flow_grpo.trainer.objectives import Training
from flow_grpo.trainer.objectives.objective import Objective
from flow_grpo.trainer.placement import compute_device

GIB = 2**30


class BadInput(Exception):
    """The configuration or the model cannot be read; the message says which and why."""


class RunConfig(BaseModel):
    """What the estimate reads of a run's configuration."""

    model_config = ConfigDict(frozen=True)

    model: str
    training: dict[str, Any]


def read_configuration(text: str) -> tuple[str, Objective]:
    """The model's name and the hyper-parameters. Raises BadInput."""
    try:
        config = RunConfig.model_validate_json(text)
        return config.model, TypeAdapter(Training).validate_python(config.training)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput(f"the configuration is not one with all defaults filled in: {problems}") from None


@dataclass(frozen=True)
class Described:
    """A model as far as the estimate needs it."""

    config_file: Path
    context: int | None
    """Tokens of a sequence that the operator's file admits; None where the model is not taken from there."""


def registered(model: str, environment: Mapping[str, str]) -> Described:
    """The model of the operator's file. An operator's directory is neither copied nor digested. Raises BadInput."""
    try:
        directory, context = find_model(model, environment)
    except (UnknownModel, ValueError, OSError) as error:
        raise BadInput(f"{error}; --model-config names a config.json") from None
    return Described(directory / CONFIG, context)


def configured_ranks(environment: Mapping[str, str], training: Objective) -> int:
    """Processes that make a step together, as a trainer with this environment would have. Raises BadInput."""
    text = environment.get("AGENTFLOW_TRAINER_RANKS") or "1"
    if not text.isdecimal() or int(text) < 1:
        raise BadInput(f"AGENTFLOW_TRAINER_RANKS must be a number of processes, not {text!r}")
    if int(text) > 1 and training.weights.kind == "lora" and training.weights.base == "nf4":
        raise BadInput(f"training.weights.base is nf4, which one process computes alone: {text} ranks would refuse it")
    return int(text)


def notes(model: Described, sizes: Sizes, training: Objective, accelerated: bool, ranks: int) -> list[str]:
    """What of the model and the configuration does not go together, or takes more than the estimate says."""
    config: Any = AutoConfig.from_pretrained(model.config_file, local_files_only=True, trust_remote_code=False)
    positions = getattr(config, "max_position_embeddings", None)
    found: list[str] = []
    if model.context is None:
        return found
    if positions is not None and model.context > positions:
        found.append(
            f"the registered context of {model.context} tokens is above the model's max_position_embeddings, "
            f"{positions}: lower it in the operator's file"
        )
    if model.context > training.micro_batch_tokens:
        longer = training.model_copy(update={"micro_batch_tokens": model.context})
        longest = estimate(sizes, longer, accelerated, ranks)
        found.append(
            f"micro_batch_tokens, {training.micro_batch_tokens}, is less than prompt and response may have, "
            f"{model.context} tokens: a sequence that long is a micro-batch by itself, {_total(longest) / GIB:.2f} GiB "
            "in all"
        )
    return found


def device_memory(ranks: int) -> tuple[str, int]:
    """The device that each of so many ranks on this machine would use, and its bytes for one of them."""
    if torch.cuda.is_available():
        device = torch.cuda.get_device_properties(0)
        return device.name, device.total_memory
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return "this machine's memory" if ranks == 1 else f"this machine's memory by {ranks} ranks", memory // ranks


def table(parts: Sequence[Part], device: str, available: int, ranks: int, notes: Sequence[str]) -> str:
    """The estimate as text: one line a part, the total, and whether it fits; then one line a note."""
    total, name = _total(parts), "total" if ranks == 1 else "total of each rank"
    width = max(len(name), *(len(part.name) for part in parts))
    lines = [f"{part.name:<{width}}  {part.bytes / GIB:8.2f} GiB  {part.how}" for part in parts]
    fits = "fits" if total <= available else "DOES NOT FIT"
    lines.append(f"{name:<{width}}  {total / GIB:8.2f} GiB  {fits} in {available / GIB:.2f} GiB ({device})")
    return "\n".join([*lines, *(f"Note: {note}." for note in notes)])


def _total(parts: Sequence[Part]) -> int:
    return sum(part.bytes for part in parts)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flow_grpo.estimate", description="Memory of a gradient step.")
    parser.add_argument("--config", type=Path, help="a run's configuration as JSON; standard input without it")
    parser.add_argument("--model-config", type=Path, help="the model's config.json, instead of the registered model's")
    parser.add_argument("--device-gib", type=float, help="memory of a GPU; without it, what this machine has")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args(argv)


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the estimate. Returns the exit code: 1 when it does not fit, 2 for input that cannot be read."""
    arguments = _arguments(argv)
    try:
        text = arguments.config.read_text() if arguments.config else sys.stdin.read()
        name, training = read_configuration(text)
        given: Path | None = arguments.model_config
        model = Described(given, context=None) if given else registered(name, environment)
        sizes = model_sizes(model.config_file, training)
        ranks = configured_ranks(environment, training)
    except (BadInput, ModelDirectoryError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    # Whoever names the memory of a device means a GPU.
    accelerated = bool(arguments.device_gib) or compute_device().type != "cpu"
    parts = estimate(sizes, training, accelerated, ranks)
    device, available = device_memory(ranks)
    if arguments.device_gib:
        device, available = "as given", int(arguments.device_gib * GIB)
    told = notes(model, sizes, training, accelerated, ranks)
    if arguments.json:
        rows, answer = [asdict(part) for part in parts], {"device": device, "available": available, "ranks": ranks}
        print(json.dumps({"parts": rows, "total": _total(parts), **answer, "notes": told}))
    else:
        print(table(parts, device, available, ranks, told))
    return 0 if _total(parts) <= available else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
