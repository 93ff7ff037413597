"""Exports of policies: files that transformers, PEFT and vLLM load."""

import hashlib
import os
from pathlib import Path
from time import monotonic
from typing import Any, Unpack, cast

import anyio
import httpx

from .. import api_types
from ..bodies import json_body
from ..downloads import Part, gathered
from ..errors import ApiUnreachable, DownloadFailed, NotCompleted, WaitTimeout, unreachable
from ..progress import Progress, open_progress
from ..retries import ATTEMPTS, pause_before
from .http import AsyncHttp, segment
from .pages import AsyncPages
from .submissions import RESTING, AsyncSubmission

POLL_S = 1.0
FETCHES = 2
"""How often a file is fetched whose bytes are not those that the API tells of."""


class AsyncExport(AsyncSubmission[api_types.Export]):
    """An export of a policy."""

    _collection = "exports"

    @property
    def policy(self) -> str:
        return self.data["policy"]

    @property
    def files(self) -> list[api_types.File]:
        """Its files with their sha256; none until it is completed."""
        return self.data["files"]

    async def download(self, directory: str | os.PathLike[str], progress: bool = True) -> Path:
        """Downloads its files into a directory that is whole or absent, and compares each with its sha256.

        The directory is made in one that is there; one that holds anything is refused. What has arrived is kept in
        `.<directory>.<id>` beside it, and a download that broke goes on if it is repeated. Raises NotCompleted if the
        export is not completed, DownloadFailed if something is in the way or a file arrives altered, ApiUnreachable,
        and OSError for what the file system refuses. It needs Linux or macOS.
        """
        if (await self.refresh()).status != "completed":
            raise NotCompleted(self._incomplete(), self)
        target = Path(os.path.abspath(directory))
        shown = open_progress(self.id, progress)
        try:
            with gathered(target, self.id, self.files) as parts:
                for part in parts:
                    await self._fetch(part, parts, shown)
        finally:
            shown.close()
        return target

    async def _fetch(self, part: Part, parts: list[Part], shown: Progress) -> None:
        for _ in range(FETCHES):
            await self._fetch_rest(part)
            shown.update(sum(one.size for one in parts), sum(one.bytes for one in parts), f"bytes, {part.name}")
            if await sha256_of(part) == part.sha256:
                part.sync()
                return
            part.empty()
        raise DownloadFailed(
            f"{part.name} of {self.id} arrived {FETCHES} times with another sha256 than {part.sha256}: "
            "it was changed or damaged on the way."
        )

    async def _fetch_rest(self, part: Part) -> None:
        """Appends what is missing. A connection that breaks is made again, as long as it brings something."""
        path = self._path(f"/files/{segment(part.name)}")
        failures = 0
        while (before := part.size) < part.bytes:
            headers = {"Range": f"bytes={before}-", "If-Range": f'"{part.sha256}"'} if before else {}
            try:
                async with self._http.file(path, headers) as response:
                    await self._append(part, before, response)
                return
            except httpx.TransportError as error:
                failures = 1 if part.size > before else failures + 1
                if failures == ATTEMPTS:
                    raise unreachable(self._http.access.url, error) from error
            await anyio.sleep(pause_before(failures + 1))

    async def _append(self, part: Part, begin: int, response: httpx.Response) -> None:
        if response.status_code != 206:
            part.empty()  # the whole was sent: it may not be appended
        elif not response.headers.get("content-range", "").startswith(f"bytes {begin}-"):
            raise DownloadFailed(f"{part.name} of {self.id}: another part was sent than was asked for.")
        async for piece in response.aiter_raw():
            part.append(piece)
            if part.size > part.bytes:
                return  # its sha256 cannot be right any more

    async def _watch(self, shown: Progress, deadline: float | None) -> None:
        while True:
            try:
                await self.refresh()
            except ApiUnreachable as error:
                shown.say(str(error))
            shown.update(len(self.files), None, f"files, {self.status}")
            if self.status in RESTING:
                return
            if deadline is not None and monotonic() >= deadline:
                raise WaitTimeout(f"{self.id} had not ended in time. It goes on.")
            await anyio.sleep(POLL_S)


class AsyncPolicies:
    """Policies, as `<run>@<step>`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def export(self, policy: str, merged: bool = False, idempotency_key: str | None = None) -> AsyncExport:
        """Has the API export one, and does not wait: the adapter alone or, `merged`, the whole model."""
        path = f"/v1/policies/{segment(policy)}/export"
        return AsyncExport(self._http, await self._http.create(path, json_body({"merged": merged}), idempotency_key))


class AsyncExports:
    """Exports of policies."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def get(self, id: str) -> AsyncExport:
        return AsyncExport(self._http, await self._http.get(f"/v1/exports/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1ExportsGetParametersQuery]) -> AsyncPages[AsyncExport]:
        """Newest first."""
        query = cast(dict[str, Any], filters)
        return AsyncPages(self._http, "/v1/exports", query, lambda data: AsyncExport(self._http, data))


async def sha256_of(part: Part) -> str:
    """Lets other tasks run between pieces: a file may have gigabytes."""
    digest = hashlib.sha256()
    for piece in part.pieces():
        digest.update(piece)
        await anyio.sleep(0)
    return digest.hexdigest()
