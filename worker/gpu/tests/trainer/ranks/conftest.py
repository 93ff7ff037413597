"""A small model as an operator registers it, for processes that share a step."""

from pathlib import Path

import pytest

from flow_grpo.trainer.base_models import BaseModels
from tests.models import SIZES, save_small_model

MODEL = "small"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> BaseModels:
    """A tied head and biases: what FSDP and the adapter treat apart."""
    directory = tmp_path_factory.mktemp("models")
    return registered(directory)


def registered(directory: Path) -> BaseModels:
    """The small model in the operator's file of a directory."""
    save_small_model("qwen2-tied", directory / "small")
    file = directory / "operator.yaml"
    file.write_text(
        f"models: {{ {MODEL}: {{ source: {{ directory: {directory / 'small'} }}, "
        f"context: {SIZES['max_position_embeddings']} }} }}"
    )
    return BaseModels(file, directory / "cache")
