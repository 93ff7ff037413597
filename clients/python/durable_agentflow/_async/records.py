"""What the API knows by an id."""

from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from .http import AsyncHttp, segment

Data = TypeVar("Data")


class AsyncRecord(Generic[Data]):
    """`data` is what the API last said of it, as docs/openapi.json describes it; `refresh` asks anew."""

    _collection: ClassVar[str]

    def __init__(self, http: AsyncHttp, data: Data) -> None:
        self._http = http
        self.data = data

    def __getitem__(self, name: str) -> Any:
        return cast(dict[str, Any], self.data)[name]

    def __repr__(self) -> str:
        return f"<{self['object']} {self.id}: {self.status}>"

    @property
    def id(self) -> str:
        return self["id"]

    @property
    def status(self) -> str:
        return self["status"]

    async def refresh(self) -> Self:
        self.data = await self._http.get(self._path())
        return self

    def _path(self, below: str = "") -> str:
        return f"/v1/{self._collection}/{segment(self.id)}{below}"
