"""The trainer worker's process: connects to Temporal, polls the task queue `trainer`, stops quickly on a signal."""

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

from flow_grpo.trainer.activities import TASK_QUEUE, TrainerActivities
from flow_grpo.trainer.records import Records
from flow_grpo.trainer.redaction import secrets_of
from flow_grpo.trainer.settings import Settings
from flow_grpo.trainer.trainer import Stores, Trainer

DEFAULT_ADDRESS = "127.0.0.1:7233"
CONNECT_RETRY_S = 1.0
# Heartbeats are cheap here and their timeout may be as short as seconds.
HEARTBEAT_THROTTLE = timedelta(seconds=1)

log = logging.getLogger(__name__)


async def run_worker(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. A running step is cancelled: its successor recovers from what is on disk."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    connecting = asyncio.create_task(connect())
    await asyncio.wait([stopped, connecting], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        connecting.cancel()
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="step") as executor:
        async with _worker(connecting.result(), settings, executor):
            log.info("polling task queue %s", TASK_QUEUE)
            await stopped
            log.info("stopping")


async def connect() -> Client:
    """Connect to the server that TEMPORAL_* or the profile file names, as often as it takes."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", DEFAULT_ADDRESS)
    refused = False
    while True:
        try:
            return await Client.connect(**config)
        except RuntimeError as error:
            if not refused:
                log.warning("Temporal at %s does not answer yet (%s); trying on", config.get("target_host"), error)
            refused = True
            await asyncio.sleep(CONNECT_RETRY_S)


def _worker(client: Client, settings: Settings, executor: ThreadPoolExecutor) -> Worker:
    database_url = settings.database_url.get_secret_value()
    stores = Stores(
        artifacts=settings.artifacts,
        models_cache=settings.models_cache,
        operator_file=settings.operator_file,
        records=Records(database_url),
        replay_checkpoint_seconds=settings.replay_checkpoint_seconds,
    )
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        activities=TrainerActivities(Trainer(stores), secrets_of(database_url)).all(),
        activity_executor=executor,
        max_concurrent_activities=1,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(0),
    )
