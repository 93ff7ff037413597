"""Questions and answers as people have them, made into the file that is uploaded."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from .bodies import Body, plain

if TYPE_CHECKING:
    import pandas

Format = Literal["jsonl", "csv", "parquet"]
Row = Mapping[str, Any]
Source: TypeAlias = "str | os.PathLike[str] | bytes | Iterable[Row] | pandas.DataFrame"
"""The path of a file, its bytes, records, or a data frame."""

TYPES: dict[str, str] = {
    "jsonl": "application/jsonl",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def read_source(source: Source, format: Format | None) -> Body:
    """A file is not read before it is sent. Raises OSError, ValueError and TypeError."""
    if isinstance(source, bytes):
        return Body(source, media_type(format, "bytes do not say what they are"))
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        path.stat()
        known = format or SUFFIXES.get(path.suffix.lower())
        return Body(path, media_type(known, f"{path} is none of {', '.join(SUFFIXES)}"))
    if format not in {None, "jsonl"}:
        raise ValueError(f"Records and data frames are sent as jsonl, not as {format}.")
    rows = records_of(source) if is_frame(source) else cast(Iterable[Row], source)
    lines = [json.dumps(row, allow_nan=False, default=plain) for row in rows]
    return Body("".join(f"{line}\n" for line in lines).encode(), TYPES["jsonl"])


def media_type(format: str | None, why: str) -> str:
    if format in TYPES:
        return TYPES[format]
    problem = why if format is None else f'"{format}" is no format'
    raise ValueError(f"{problem}: say a format of {', '.join(TYPES)}.")


def is_frame(source: object) -> bool:
    """Whoever has a data frame has imported pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, pandas.DataFrame)


def records_of(frame: Any) -> Iterator[Row]:
    """Its rows, each without the cells that are missing. Raises ValueError if two columns have one name."""
    if not frame.columns.is_unique:
        twice = ", ".join(map(str, frame.columns[frame.columns.duplicated()].unique()))
        raise ValueError(f"These columns of the data frame are there twice: {twice}.")
    for row in frame.to_dict("records"):
        yield {name: value for name, value in row.items() if not is_missing(value)}


def is_missing(value: Any) -> bool:
    """NaN, NaT and NA are what pandas makes of a cell that is not there; a list in a cell is there."""
    import pandas

    return pandas.api.types.is_scalar(value) and bool(pandas.isna(value))
