"""Builds an index, or answers searches of one: python -m flow_grpo.passages build|add-vectors|search DIRECTORY

All read JSON from standard input, one value a line, and write JSON to standard output, one value a line.
`build` reads passages, `[title, text]`, and says at the end what it has built. `add-vectors` reads where their vectors
are, `{"rows", "dimension", "precision"}`, and says how many there were. `search` says what it has opened, then answers
each request in its turn, until its input ends: `{"id", "query", "count"}` by words, `{"id", "vector", "count"}` by
vectors, and `{"id", "first", "count"}` with the passages of these numbers.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_grpo.passages.analyzer import ANALYZER
from flow_grpo.passages.index import VECTORS, Passage, PassageIndex, build_index

if TYPE_CHECKING:
    from flow_grpo.passages.vectors import VectorIndex


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m flow_grpo.passages", description="The index of passages.")
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    COMMANDS[arguments.command](arguments.directory)


def _build(directory: Path) -> None:
    built = build_index(directory, (Passage(*line) for line in _lines()))
    _say({"analyzer": ANALYZER, "engine": f"tantivy {version('tantivy')}", **built._asdict()})


def _add_vectors(directory: Path) -> None:
    from flow_grpo.passages.vectors import build_vectors

    (given,) = _lines()
    count = build_vectors(directory / VECTORS, Path(given["rows"]), given["dimension"], given["precision"])
    _say({"engine": f"faiss {version('faiss-cpu')}", "vectors": count})


def _search(directory: Path) -> None:
    index = PassageIndex(directory)
    vectors = _open_vectors(directory)
    _say({"analyzer": ANALYZER, "passages": len(index), **_facts_of(vectors)})
    for request in _lines():
        found = _answer(index, vectors, request)
        _say({"id": request["id"], "passages": [passage._asdict() for passage in found]})


def _answer(index: PassageIndex, vectors: "VectorIndex | None", request: dict[str, Any]) -> list[Passage]:
    count: int = request["count"]
    if "query" in request:
        return [passage for passage, _ in index.search(request["query"], count)]
    if "first" in request:
        return index.numbered(request["first"], count)
    if vectors is None:
        raise ValueError("This index has no vectors.")
    return [passage for near in vectors.search(request["vector"], count) for passage in index.numbered(near.number, 1)]


def _open_vectors(directory: Path) -> "VectorIndex | None":
    """Most indexes have none: faiss is loaded for those that do."""
    if not (directory / VECTORS).exists():
        return None
    from flow_grpo.passages.vectors import VectorIndex

    return VectorIndex(directory / VECTORS)


def _facts_of(vectors: "VectorIndex | None") -> dict[str, int]:
    return {} if vectors is None else {"vectors": len(vectors), "dimension": vectors.dimension}


def _lines() -> Iterator[Any]:
    return map(json.loads, sys.stdin.buffer)


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


COMMANDS = {"build": _build, "add-vectors": _add_vectors, "search": _search}


if __name__ == "__main__":
    main()
