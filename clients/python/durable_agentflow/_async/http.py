"""Requests to the API, with retries."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import anyio
import httpx
from httpx_sse import EventSource, aconnect_sse

from ..access import Access
from ..bodies import Body, json_body
from ..errors import not_ours, refusal, unreachable
from ..retries import ATTEMPTS, NEVER_SENT, may_repeat, pause_before

TIMEOUT_S = 30.0
"""Of each wait for bytes. The API answers within 20 s."""
FILE_TIMEOUT_S = 600.0
"""Of the wait for the answer to a file, which is on the API's disk by then."""
PIECE_BYTES = 256 * 1024
"""Of a file: it is read in so little time that no other task misses it."""
KEPT_S = 2.0
"""A connection that is not in use. The API closes it after five seconds: what is sent at that moment is lost."""


def segment(name: str) -> str:
    """An id as a part of a path. Rollouts have slashes in theirs. Raises ValueError for what no URL can hold."""
    if name in {"", ".", ".."}:
        raise ValueError(f'"{name}" is not an id.')
    return quote(name, safe="")


class AsyncHttp:
    """Any route of docs/openapi.json, by its path. Every method raises the errors of `durable_agentflow.errors`."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client = httpx.AsyncClient(
            base_url=access.url,
            headers={"Authorization": f"Bearer {access.key}", "User-Agent": "durable-agentflow-python"},
            timeout=httpx.Timeout(TIMEOUT_S),
            limits=httpx.Limits(keepalive_expiry=KEPT_S),
            trust_env=not access.is_local,
            follow_redirects=False,  # the key is for the API, not for where another program sends us
        )

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._content(await self._send("GET", path, query=query, repeatable=True))

    async def post(self, path: str, body: object = None) -> Any:
        """What changes something that is there. It is repeated only if the API cannot have got it."""
        sent = None if body is None else json_body(body)
        return self._content(await self._send("POST", path, body=sent, repeatable=False))

    async def create(
        self, path: str, body: Body, idempotency_key: str | None = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """Creates something, once: every attempt carries the same Idempotency-Key."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return self._content(await self._send("POST", path, query=query, body=body, headers=headers, repeatable=True))

    async def delete(self, path: str) -> Any:
        """Deletes something. If a repeated attempt finds nothing, the one before it was carried out."""
        return self._content(await self._send("DELETE", path, repeatable=True))

    @asynccontextmanager
    async def events(self, path: str, after: int, silence: float) -> AsyncIterator[EventSource | None]:
        """The stream of events after a sequence, or None if nothing more will come.

        Raises httpx.TransportError, on entry or while it is read, if the connection breaks or is silent for `silence`
        seconds; ApiError or NotOurApi if the answer is no stream.
        """
        timeout = httpx.Timeout(TIMEOUT_S, read=silence)
        headers = {"Last-Event-ID": str(after)}
        async with aconnect_sse(self._client, "GET", path, headers=headers, timeout=timeout) as source:
            response = source.response
            if response.status_code == 204:
                yield None
                return
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise not_ours(response)
            yield source

    @asynccontextmanager
    async def file(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """A file, to be read as it is sent. Raises httpx.TransportError if the connection breaks, and ApiError."""
        sent = {"Accept-Encoding": "identity", **headers}  # a part of what is packed cannot be appended
        async with self._client.stream("GET", path, headers=sent) as response:
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            yield response

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool,
    ) -> httpx.Response:
        content = None if body is None else body.content
        headers = {**(headers or {}), **({} if body is None else {"Content-Type": body.content_type})}
        timeout = httpx.Timeout(TIMEOUT_S)
        if isinstance(content, Path):
            headers["Content-Length"] = str(content.stat().st_size)
            timeout = httpx.Timeout(TIMEOUT_S, read=FILE_TIMEOUT_S)
        for attempt in range(1, ATTEMPTS + 1):
            response = None
            try:
                sent = pieces(content) if isinstance(content, Path) else content
                response = await self._client.request(
                    method, path, params=given(query), headers=headers, content=sent, timeout=timeout
                )
            except httpx.TransportError as error:
                if attempt == ATTEMPTS or not (repeatable or isinstance(error, NEVER_SENT)):
                    raise unreachable(self.access.url, error) from error
            else:
                is_gone = method == "DELETE" and attempt > 1 and response.status_code == 404
                if response.is_success or is_gone:
                    return response
                if attempt == ATTEMPTS or not may_repeat(response, repeatable):
                    raise refusal(response)
            await anyio.sleep(pause_before(attempt + 1, response))
        raise AssertionError("the last attempt returns or raises")

    @staticmethod
    def _content(response: httpx.Response) -> Any:
        if response.status_code in {202, 204, 404}:
            return None
        try:
            content = response.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise not_ours(response)
        return content


async def pieces(path: Path) -> AsyncIterator[bytes]:
    """A file from its beginning: each attempt sends the whole."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}
