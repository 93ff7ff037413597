"""Datasets: those that the operator registered, and those that the project uploads."""

from time import monotonic
from typing import Any, Self, Unpack, cast

import anyio

from .. import api_types
from ..errors import NotCompleted, WaitTimeout
from ..files import Format, Source, read_source
from .http import AsyncHttp, segment
from .pages import AsyncPages
from .records import AsyncRecord

POLL_S = 0.5
NAMED = 3
"""Mistakes that an error names. `check` has more of them."""


class AsyncDataset(AsyncRecord[api_types.DatasetWithCheck]):
    """Questions and answers that runs and evaluations name."""

    _collection = "datasets"

    @property
    def status(self) -> str:
        """`checking`, `ready` or `refused`. What the operator registered is ready."""
        upload = self.data["upload"]
        return "ready" if upload is None else upload["status"]

    @property
    def check(self) -> api_types.Check | None:
        """What was found in it: mistakes, families, findings. None of a registered one, and of one in a list."""
        return self.data.get("check")

    def rows(self, **filters: Unpack[api_types.V1DatasetsIdRowsGetParametersQuery]) -> AsyncPages[api_types.DatasetRow]:
        """The first 100 questions of an uploaded one, as they were read."""
        return AsyncPages(self._http, self._path("/rows"), cast(dict[str, Any], filters))

    async def delete(self) -> None:
        """Deletes an uploaded one and its bytes. Raises Conflict, which names what uses it."""
        await self._http.delete(self._path())

    async def wait(self, timeout: float | None = None) -> Self:
        """Waits until it is ready.

        Raises NotCompleted with the first mistakes if it is refused, and WaitTimeout after `timeout` seconds.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while (await self.refresh()).status == "checking":
            if deadline is not None and monotonic() >= deadline:
                raise WaitTimeout(f"{self.id} was not checked in time. The check goes on.")
            await anyio.sleep(POLL_S)
        if self.status != "ready":
            raise NotCompleted(self._refusal(), self)
        return self

    def _refusal(self) -> str:
        mistakes = self.check["mistakes"] if self.check else []
        count = (self.data["upload"] or {}).get("mistakes") or len(mistakes)
        told = "; ".join(in_words(mistake) for mistake in mistakes[:NAMED])
        more = f"; {count - NAMED} more" if count > NAMED else ""
        return f"{self.id} is {self.status}: {told}{more}. Mend the file, delete this one, and upload it again."


class AsyncDatasets:
    """Datasets, by their names."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def upload(
        self,
        source: Source,
        *,
        format: Format | None = None,
        idempotency_key: str | None = None,
        **said: Unpack[api_types.V1DatasetsPostParametersQuery],
    ) -> AsyncDataset:
        """Uploads a file, its bytes, a list of mappings or a pandas data frame, to be checked; `wait` waits for that.

        `name` is what runs and evaluations will name. The others say where its parts are: `question` and `answer`,
        which are columns of these names if nothing is said, `id`, `family` and `choices`; of which kind the `answers`
        are; and how many questions are `held_out`. `format` is needed for bytes, and for a file whose name does not
        end with it. A missing value of a data frame is a field that is not there; its index is left out. Raises
        OSError if a file cannot be read, ValueError and TypeError for what cannot be sent as it is.
        """
        body = read_source(source, format)
        query = cast(dict[str, Any], said)
        return AsyncDataset(self._http, await self._http.create("/v1/datasets", body, idempotency_key, query))

    async def get(self, name: str) -> AsyncDataset:
        return AsyncDataset(self._http, await self._http.get(f"/v1/datasets/{segment(name)}"))

    def list(self, **filters: Unpack[api_types.V1DatasetsGetParametersQuery]) -> AsyncPages[AsyncDataset]:
        """Those that the operator registered, then those of the project."""
        query = cast(dict[str, Any], filters)
        return AsyncPages(self._http, "/v1/datasets", query, lambda data: AsyncDataset(self._http, data))


def in_words(mistake: api_types.Mistake) -> str:
    column = mistake["column"]
    where = [mistake["place"], None if column is None else f"column {column}"]
    return ": ".join([*filter(None, [", ".join(filter(None, where))]), mistake["message"].rstrip(".")])
