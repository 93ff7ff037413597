"""The process: load the model, serve, stop."""

import asyncio
import logging
import signal
from collections.abc import Iterable
from pathlib import Path

import torch
import uvicorn

from flow_grpo.base_model import RegisteredModel, registered_models
from flow_grpo.lifeline import held_lifeline
from flow_grpo.policy_server.app import create_app
from flow_grpo.policy_server.decoder_shape import read_shape
from flow_grpo.policy_server.engine import Engine
from flow_grpo.policy_server.policies import PolicyStore
from flow_grpo.policy_server.request_log import RequestLog
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.policy_server.service import GenerationService
from flow_grpo.policy_server.settings import Settings

logger = logging.getLogger(__name__)

# How long SIGTERM waits for requests in flight. They are cut off: whoever asked will ask again.
_GRACE_S = 1


def run_server(settings: Settings, threads: int) -> None:
    """Serve until SIGTERM or SIGINT. Listens only once the first registered model is loaded.

    Raises UnsupportedModel, before anything is loaded, when the operator's file registers a model that is not computed
    here: a run on it would otherwise wait for a policy server that never answers.
    """
    torch.set_num_threads(threads)
    rows = RowThreads(threads)
    models = registered_models(settings.operator_file)
    _refuse_unsupported(models.values())
    cache_bytes = settings.cache_mib * 2**20
    policies = PolicyStore(models, settings.artifacts, settings.models_cache, cache_bytes, settings.policies, rows)
    first = next(iter(models))
    policies.base(first)
    log = RequestLog(settings.request_log)
    engine = Engine(threads)
    config = uvicorn.Config(
        create_app(GenerationService(policies, engine, log), first),
        host="127.0.0.1",
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops on these, then raises them again for whoever handled them before: nobody has to.
        signal.signal(number, lambda *_: None)
    try:
        asyncio.run(_serve(uvicorn.Server(config)))
    finally:
        engine.close(timeout=_GRACE_S)
        log.close()
        rows.close()
        logger.info("stopped")


async def _serve(server: uvicorn.Server) -> None:
    async with held_lifeline():
        await server.serve()


def _refuse_unsupported(models: Iterable[RegisteredModel]) -> None:
    for model in models:
        if isinstance(model.source, Path):
            read_shape(model.source)
