"""Events of a run or flow, followed over broken connections and restarts of the API."""

import json
import time
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import httpx
from httpx_sse import SSEError

from ..errors import AgentFlowError, ApiError, WaitTimeout, unreachable
from ..retries import PASSING, pause_before
from .http import Http

SILENCE_S = 30.0
"""The API sends a heartbeat every ten seconds: a stream that is silent for longer than this is dead."""
SILENCE_BEFORE_DEADLINE_S = 5.0
"""Shorter than a heartbeat's, so that the deadline is looked at although no event comes."""

ENDS = ("completed", "failed", "cancelled")


def follow(
    http: Http,
    path: str,
    after: int = 0,
    deadline: float | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[dict[str, Any]]:
    """Events after a sequence, each once and in order, until no more will come.

    It connects again with the last sequence whenever the stream ends, breaks or is silent, or the API is away. `say` is
    told once of each outage. Raises WaitTimeout at the `deadline`, a time of the monotonic clock; ApiError if refused.
    """
    last, attempt, over, away = after, 1, False, False
    while not over:
        failure: Exception | None = None
        try:
            with http.events(path, last, silence_until(deadline)) as source:
                if source is None:
                    return
                for message in source.iter_sse():
                    if message.data == "":
                        continue  # a heartbeat: after an id the parser makes an event of it
                    event = parse(message.data)
                    if event["sequence"] <= last:
                        continue
                    last, attempt, away = event["sequence"], 1, False
                    over = is_end(event)
                    yield event
        except (httpx.TransportError, SSEError, ApiError) as error:
            if isinstance(error, ApiError) and error.status not in PASSING:
                raise
            failure = error
        if over or (deadline is not None and monotonic() >= deadline):
            break
        # A stream that is only silent, as one with a deadline may be, is no outage.
        if failure is not None and not isinstance(failure, httpx.ReadTimeout):
            if not away:
                say(f"{told(http, failure)} It is tried again, and no event is missed.")
            attempt, away = attempt + 1, True
        time.sleep(bounded(pause_before(max(attempt, 2)), deadline))
    if not over:
        raise WaitTimeout(f"{path} had not ended in time. It goes on.")


def told(http: Http, failure: Exception) -> str:
    return str(failure if isinstance(failure, ApiError) else unreachable(http.access.url, failure))


def is_end(event: dict[str, Any]) -> bool:
    kind, _, what = event["type"].partition(".")
    return kind in {"run", "flow"} and what in ENDS


def silence_until(deadline: float | None) -> float:
    return SILENCE_S if deadline is None else max(0.01, bounded(SILENCE_BEFORE_DEADLINE_S, deadline))


def bounded(seconds: float, deadline: float | None) -> float:
    return seconds if deadline is None else max(0.0, min(seconds, deadline - monotonic()))


def parse(data: str) -> dict[str, Any]:
    try:
        event = json.loads(data)
        if isinstance(event["sequence"], int) and isinstance(event["type"], str):
            return event
    except (ValueError, KeyError, TypeError):
        pass
    raise AgentFlowError(f"The API sent an event that this version of the client does not understand: {data[:100]}")
