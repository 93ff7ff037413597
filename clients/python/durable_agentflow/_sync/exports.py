"""Exports of policies: files that transformers, PEFT and vLLM load."""

import hashlib
import os
import time
from pathlib import Path
from time import monotonic
from typing import Any, Unpack, cast

import httpx

from .. import api_types
from ..bodies import json_body
from ..downloads import Part, gathered
from ..errors import ApiUnreachable, DownloadFailed, NotCompleted, WaitTimeout, unreachable
from ..progress import Progress, open_progress
from ..retries import ATTEMPTS, pause_before
from .http import Http, segment
from .pages import Pages
from .submissions import RESTING, Submission

POLL_S = 1.0
FETCHES = 2
"""How often a file is fetched whose bytes are not those that the API tells of."""


class Export(Submission[api_types.Export]):
    """An export of a policy."""

    _collection = "exports"

    @property
    def policy(self) -> str:
        return self.data["policy"]

    @property
    def files(self) -> list[api_types.File]:
        """Its files with their sha256; none until it is completed."""
        return self.data["files"]

    def download(self, directory: str | os.PathLike[str], progress: bool = True) -> Path:
        """Downloads its files into a directory that is whole or absent, and compares each with its sha256.

        The directory is made in one that is there; one that holds anything is refused. What has arrived is kept in
        `.<directory>.<id>` beside it, and a download that broke goes on if it is repeated. Raises NotCompleted if the
        export is not completed, DownloadFailed if something is in the way or a file arrives altered, ApiUnreachable,
        and OSError for what the file system refuses. It needs Linux or macOS.
        """
        if (self.refresh()).status != "completed":
            raise NotCompleted(self._incomplete(), self)
        target = Path(os.path.abspath(directory))
        shown = open_progress(self.id, progress)
        try:
            with gathered(target, self.id, self.files) as parts:
                for part in parts:
                    self._fetch(part, parts, shown)
        finally:
            shown.close()
        return target

    def _fetch(self, part: Part, parts: list[Part], shown: Progress) -> None:
        for _ in range(FETCHES):
            self._fetch_rest(part)
            shown.update(sum(one.size for one in parts), sum(one.bytes for one in parts), f"bytes, {part.name}")
            if sha256_of(part) == part.sha256:
                part.sync()
                return
            part.empty()
        raise DownloadFailed(
            f"{part.name} of {self.id} arrived {FETCHES} times with another sha256 than {part.sha256}: "
            "it was changed or damaged on the way."
        )

    def _fetch_rest(self, part: Part) -> None:
        """Appends what is missing. A connection that breaks is made again, as long as it brings something."""
        path = self._path(f"/files/{segment(part.name)}")
        failures = 0
        while (before := part.size) < part.bytes:
            headers = {"Range": f"bytes={before}-", "If-Range": f'"{part.sha256}"'} if before else {}
            try:
                with self._http.file(path, headers) as response:
                    self._append(part, before, response)
                return
            except httpx.TransportError as error:
                failures = 1 if part.size > before else failures + 1
                if failures == ATTEMPTS:
                    raise unreachable(self._http.access.url, error) from error
            time.sleep(pause_before(failures + 1))

    def _append(self, part: Part, begin: int, response: httpx.Response) -> None:
        if response.status_code != 206:
            part.empty()  # the whole was sent: it may not be appended
        elif not response.headers.get("content-range", "").startswith(f"bytes {begin}-"):
            raise DownloadFailed(f"{part.name} of {self.id}: another part was sent than was asked for.")
        for piece in response.iter_raw():
            part.append(piece)
            if part.size > part.bytes:
                return  # its sha256 cannot be right any more

    def _watch(self, shown: Progress, deadline: float | None) -> None:
        while True:
            try:
                self.refresh()
            except ApiUnreachable as error:
                shown.say(str(error))
            shown.update(len(self.files), None, f"files, {self.status}")
            if self.status in RESTING:
                return
            if deadline is not None and monotonic() >= deadline:
                raise WaitTimeout(f"{self.id} had not ended in time. It goes on.")
            time.sleep(POLL_S)


class Policies:
    """Policies, as `<run>@<step>`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def export(self, policy: str, merged: bool = False, idempotency_key: str | None = None) -> Export:
        """Has the API export one, and does not wait: the adapter alone or, `merged`, the whole model."""
        path = f"/v1/policies/{segment(policy)}/export"
        return Export(self._http, self._http.create(path, json_body({"merged": merged}), idempotency_key))


class Exports:
    """Exports of policies."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(self, id: str) -> Export:
        return Export(self._http, self._http.get(f"/v1/exports/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1ExportsGetParametersQuery]) -> Pages[Export]:
        """Newest first."""
        query = cast(dict[str, Any], filters)
        return Pages(self._http, "/v1/exports", query, lambda data: Export(self._http, data))


def sha256_of(part: Part) -> str:
    """Lets other tasks run between pieces: a file may have gigabytes."""
    digest = hashlib.sha256()
    for piece in part.pieces():
        digest.update(piece)
        time.sleep(0)
    return digest.hexdigest()
