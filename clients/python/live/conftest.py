"""These tests talk to a stack that runs: AGENTFLOW_DATA names its data directory."""

from collections.abc import Iterator

import pytest

from durable_agentflow import Client


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client
