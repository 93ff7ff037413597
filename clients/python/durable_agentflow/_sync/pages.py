"""Lists of the API."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ..tables import to_frame
from .http import Http

if TYPE_CHECKING:
    import pandas

Item = TypeVar("Item")

LARGEST_PAGE = 100


class Pages(Generic[Item]):
    """A list, read page by page while it is gone through, and anew each time. With `limit`, at most so many items."""

    def __init__(
        self,
        http: Http,
        path: str,
        query: Mapping[str, Any] | None = None,
        item: Callable[[Any], Item] | None = None,
    ) -> None:
        self._http = http
        self._path = path
        self._query = {name: value for name, value in (query or {}).items() if name != "limit"}
        self._limit: int | None = (query or {}).get("limit")
        self._item = item

    def __repr__(self) -> str:
        return f"<list at {self._path}: go through it, or call to_list() or to_pandas()>"

    def __iter__(self) -> Iterator[Item]:
        for row in self._rows():
            yield cast(Item, row) if self._item is None else self._item(row)

    def to_list(self) -> list[Item]:
        return [item for item in self]

    def to_pandas(self) -> "pandas.DataFrame":
        """A data frame of the whole list; needs pandas."""
        return to_frame([row for row in self._rows()])

    def _rows(self) -> Iterator[dict[str, Any]]:
        left = self._limit
        query = self._query
        while left is None or left > 0:
            size = LARGEST_PAGE if left is None else min(left, LARGEST_PAGE)
            page = self._http.get(self._path, {**query, "limit": size})
            for row in page["data"][:left]:
                yield row
            left = None if left is None else left - len(page["data"])
            if not page["has_more"]:
                return
            query = {**query, "after": page["last_id"]}
