"""The trainer worker's process: connects to Temporal, polls its task queues, stops quickly on a signal.

It polls three. `trainer` is shared by all trainer workers: whoever is free takes the call. One is this process's own: a
run whose state is in its memory calls it there, and moves on when nobody polls it any more. `trainer-exports` is shared
as well, and its calls wait for none of the others (exports.py).
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Interceptor, Worker

from flow_grpo.lifeline import held_lifeline
from flow_grpo.trainer.activities import TrainerActivities
from flow_grpo.trainer.device import OneAtATime
from flow_grpo.trainer.exports import ExportActivities, tell_workflow
from flow_grpo.trainer.presence import presence
from flow_grpo.trainer.records import Records
from flow_grpo.trainer.redaction import secrets_of
from flow_grpo.trainer.settings import Settings
from flow_grpo.trainer.tracking import Tracking
from flow_grpo.trainer.trainer import Stores, Trainer

SHARED_QUEUE = "trainer"
EXPORT_QUEUE = "trainer-exports"
DEFAULT_ADDRESS = "127.0.0.1:7233"
CONNECT_RETRY_S = 1.0
# Heartbeats are cheap here and their timeout may be as short as seconds.
HEARTBEAT_THROTTLE = timedelta(seconds=1)

log = logging.getLogger(__name__)


async def run_worker(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. A running step is cancelled: its successor recovers from what is on disk."""
    async with held_lifeline():
        await _serve(settings)


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    connecting = asyncio.create_task(connect())
    await asyncio.wait([stopped, connecting], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        connecting.cancel()
        return
    own_queue = f"{SHARED_QUEUE}/{uuid4().hex}"
    # Calls of the runs that are held here all start at once and wait with heartbeats: one that waited in the queue
    # would look as if this process were gone. A call of any other run is better left to whoever is free.
    slots = {SHARED_QUEUE: 1, own_queue: settings.runs}
    tracking = Tracking(settings.trackers, settings.trackers_directory)
    records = Records(settings.database_url.get_secret_value())
    trainer = _trainer(settings, records, own_queue, tracking)
    secrets = secrets_of(settings.database_url.get_secret_value())
    activities = TrainerActivities(trainer, secrets)
    with (
        closing(tracking),
        closing(trainer),
        ThreadPoolExecutor(max_workers=sum(slots.values()), thread_name_prefix="step") as executor,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="export") as exporting,
    ):
        client = connecting.result()
        shared, own = trainer_workers(client, activities, slots, executor)
        exports = export_worker(client, ExportActivities(settings, secrets, tell_workflow(client)), exporting)
        async with shared, own, exports, presence(records, own_queue, client.identity):
            log.info("polling task queues %s", ", ".join([*slots, EXPORT_QUEUE]))
            await stopped
            log.info("stopping")
            await asyncio.gather(shared.shutdown(), own.shutdown(), exports.shutdown())


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


def trainer_workers(
    client: Client, activities: TrainerActivities, slots: Mapping[str, int], executor: ThreadPoolExecutor
) -> list[Worker]:
    """A worker for each task queue of `slots`, which says how many calls may have started, at work or waiting."""
    device = OneAtATime()
    return [_worker(client, queue, activities.all(), executor, calls, device) for queue, calls in slots.items()]


def export_worker(client: Client, activities: ExportActivities, executor: ThreadPoolExecutor) -> Worker:
    """Makes one export at a time, whatever the device does."""
    return _worker(client, EXPORT_QUEUE, activities.all(), executor, 1)


def _worker(
    client: Client,
    queue: str,
    activities: list[Callable[..., Any]],
    executor: ThreadPoolExecutor,
    calls: int,
    *interceptors: Interceptor,
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        activity_executor=executor,
        max_concurrent_activities=calls,
        interceptors=interceptors,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(0),
    )


def _trainer(settings: Settings, records: Records, own_queue: str, tracking: Tracking) -> Trainer:
    stores = Stores(
        artifacts=settings.artifacts,
        models_cache=settings.models_cache,
        operator_file=settings.operator_file,
        records=records,
        replay_checkpoint_seconds=settings.replay_checkpoint_seconds,
        mismatch_limit=settings.mismatch_limit,
    )
    return Trainer(stores, own_queue, settings.runs, tracking.report, settings.ranks)
