"""The trainer's row among the workers: there while it serves, renewed, gone after it, and no outage ends it."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import psycopg
import pytest

from flow_grpo.trainer.presence import presence
from flow_grpo.trainer.records import Records

WORKER = "trainer/0123"


def seen_at(database_url: str) -> list[tuple[str, str, datetime]]:
    """The rows of the workers."""
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT kind, identity, seen_at FROM workers WHERE id = %s", (WORKER,)).fetchall()


async def until(what: Callable[[], bool]) -> None:
    """Until it is so."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(what):
            await asyncio.sleep(0.02)


def test_the_row_is_there_and_renewed_within_the_block_and_gone_after_it(database_url: str) -> None:
    async def scenario() -> None:
        async with presence(Records(database_url), WORKER, "7@here", every_s=0.05):
            await until(lambda: bool(seen_at(database_url)))
            ((kind, identity, first),) = seen_at(database_url)
            assert (kind, identity) == ("trainer", "7@here")
            await until(lambda: seen_at(database_url)[0][2] > first)

    asyncio.run(scenario())
    assert seen_at(database_url) == []


def test_an_outage_of_the_database_ends_neither_the_telling_nor_the_worker(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(Records):
        """Records that cannot be reached at first."""

        failures = 2

        def worker_seen(self, worker: str, identity: str) -> None:
            if self.failures > 0:
                self.failures -= 1
                raise psycopg.OperationalError("connection refused")
            super().worker_seen(worker, identity)

    async def scenario() -> None:
        async with presence(Away(database_url), WORKER, "7@here", every_s=0.05):
            await until(lambda: bool(seen_at(database_url)))

    asyncio.run(scenario())
    assert caplog.text.count("connection refused") == 2
