"""The trainer worker's row among the workers: who falls silent is told of as lost (api/training-runs)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg

from flow_grpo.trainer.records import Records

# As infra/database/workers.ts has it.
SEEN_EVERY_S = 5.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def presence(records: Records, worker: str, identity: str, every_s: float = SEEN_EVERY_S) -> AsyncIterator[None]:
    """Within the block the worker's row says every `every_s` seconds that it is there; after it the row is gone.

    An outage of the database is nobody's loss: it is logged, and the next telling comes soon.
    """
    over = asyncio.Event()
    telling = asyncio.create_task(_tell(records, worker, identity, every_s, over))
    try:
        yield
    finally:
        over.set()
        await telling
        await _try(lambda: records.worker_ends(worker))


async def _tell(records: Records, worker: str, identity: str, every_s: float, over: asyncio.Event) -> None:
    while not over.is_set():
        await _try(lambda: records.worker_seen(worker, identity))
        try:
            async with asyncio.timeout(every_s):
                await over.wait()
        except TimeoutError:
            continue


async def _try(write: Callable[[], None]) -> None:
    try:
        await asyncio.to_thread(write)
    except psycopg.Error as error:
        log.warning("the database does not learn now that this worker is there: %s", str(error).strip())
