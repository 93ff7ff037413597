"""Builds an index, or answers searches of one: python -m flow_grpo.passages build|search DIRECTORY

Both read JSON from standard input, one value a line, and write JSON to standard output, one value a line.
`build` reads passages, `[title, text]`, and says at the end what it has built. `search` says what it has opened, then
answers each `{"id", "query", "count"}` in its turn, until its input ends.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flow_grpo.passages.analyzer import ANALYZER
from flow_grpo.passages.index import Passage, PassageIndex, build_index


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m flow_grpo.passages", description="The index of passages.")
    parser.add_argument("command", choices=["build", "search"])
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "build":
        _build(arguments.directory)
    else:
        _search(arguments.directory)


def _build(directory: Path) -> None:
    built = build_index(directory, (Passage(*line) for line in _lines()))
    _say({"analyzer": ANALYZER, "engine": f"tantivy {version('tantivy')}", **built._asdict()})


def _search(directory: Path) -> None:
    index = PassageIndex(directory)
    _say({"analyzer": ANALYZER, "passages": len(index)})
    for request in _lines():
        found = index.search(request["query"], request["count"])
        _say({"id": request["id"], "passages": [passage._asdict() for passage, _ in found]})


def _lines() -> Iterator[Any]:
    return map(json.loads, sys.stdin.buffer)


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
