"""Fixtures shared by all tests. The environment of torch processes is set before anything imports torch."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow_grpo.torch_environment import prepare_torch_environment
from tests.postgres import TestPostgres, create_database

prepare_torch_environment()

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def models_cache() -> Path:
    """Directory of the base models: the set-up's, so that they are made once per machine."""
    return Path(os.environ.get("AGENTFLOW_MODELS_CACHE", REPOSITORY / ".cache" / "models"))


@pytest.fixture(scope="session")
def tiny_model(models_cache: Path) -> Path:
    """Directory of the model tiny-random."""
    # Not at the top: the process that deals the tests out to others would load torch for nothing.
    from flow_grpo.base_model import ensure_base_model

    return ensure_base_model("tiny-random", models_cache)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: AGENTFLOW_TEST_DATABASE_URL, else a private one for this test run."""
    given = os.environ.get("AGENTFLOW_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with TestPostgres(REPOSITORY) as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """An empty database with the project's tables."""
    with create_database(postgres_url, REPOSITORY) as url:
        yield url
