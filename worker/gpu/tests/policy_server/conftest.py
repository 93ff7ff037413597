"""Fixtures of the policy server's tests: models in memory, once per session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from flow_grpo.base_model import RegisteredModel
from flow_grpo.policy_server.engine import Engine
from flow_grpo.policy_server.policies import LoadedPolicy, PolicyStore
from flow_grpo.policy_server.row_threads import RowThreads

THREADS = 2
TINY = "tiny-random"
SMOLLM2 = "smollm2-135m-instruct"
MODELS = {
    TINY: RegisteredModel(TINY, "tiny-random", 2048),
    SMOLLM2: RegisteredModel(SMOLLM2, "smollm2", 2048),
}


@pytest.fixture(scope="session")
def row_threads() -> RowThreads:
    torch.set_num_threads(THREADS)
    return RowThreads(THREADS)


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="session")
def policies(artifacts: Path, models_cache: Path, row_threads: RowThreads) -> PolicyStore:
    return PolicyStore(MODELS, artifacts, models_cache, cache_bytes=64 * 2**20, capacity=2, threads=row_threads)


@pytest.fixture(scope="session")
def tiny(policies: PolicyStore) -> LoadedPolicy:
    return policies.base(TINY)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(THREADS)
    yield engine
    engine.close()
