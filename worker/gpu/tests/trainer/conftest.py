"""Fixtures of the trainer's tests: a tiny model, and runs in a private store with a private database."""

from pathlib import Path

import pytest

from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.step import use_deterministic_arithmetic
from tests.trainer.run import Run
from tests.trainer.samples import LORA, MODEL


@pytest.fixture(scope="session", autouse=True)
def _arithmetic() -> None:
    use_deterministic_arithmetic(threads=2)


@pytest.fixture
def planner(tiny_model: Path) -> Planner:
    """The tiny model with a fresh adapter."""
    return Planner.load(tiny_model, MODEL, Lora.model_validate(LORA))


@pytest.fixture
def run(tmp_path: Path, database_url: str, models_cache: Path, tiny_model: Path) -> Run:
    """A training run of which nothing has happened."""
    return Run(tmp_path, database_url, models_cache)
