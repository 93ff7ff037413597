"""Writes what is generated of the client: its types, from docs/openapi.json, and its synchronous twin.

`npm run openapi` runs it. With a directory as its argument it writes there and leaves the package alone.
"""

import re
import subprocess
import sys
from pathlib import Path

from unasync import Rule, unasync_files

CLIENT = Path(__file__).resolve().parents[1]
DESCRIPTION = CLIENT.parents[1] / "docs/openapi.json"
ASYNC = CLIENT / "durable_agentflow/_async"

# No class checks anything at run time: a value or key that a newer API sends is passed on, and breaks no older client.
TYPES = [
    *("--input-file-type", "openapi", "--openapi-scopes", "schemas", "paths", "parameters"),
    *("--output-model-type", "typing.TypedDict", "--no-use-closed-typed-dict", "--enum-field-as-literal", "all"),
    *("--use-standard-collections", "--use-union-operator", "--target-python-version", "3.11"),
    *("--disable-timestamp", "--disable-warnings", "--formatters", "builtin"),
]

# Besides what unasync replaces by itself, and the prefix Async of a class.
SYNC_NAMES = {
    "aclose": "close",
    "aconnect_sse": "connect_sse",
    "aiter_raw": "iter_raw",
    "aiter_sse": "iter_sse",
    "anyio": "time",
    "aread": "read",
}


def main(package: Path) -> None:
    write_types(package / "api_types.py")
    write_synchronous_twin(package / "_sync")


def write_types(target: Path) -> None:
    generator = Path(sys.executable).with_name("datamodel-codegen")
    subprocess.run([generator, "--input", DESCRIPTION, "--output", target, *TYPES], check=True)
    ruff("format", "--no-force-exclude", target)


def write_synchronous_twin(target: Path) -> None:
    sources = sorted(ASYNC.glob("*.py"))
    names = {name for source in sources for name in re.findall(r"\bAsync[A-Z]\w*", source.read_text())}
    replacements = SYNC_NAMES | {name: name.removeprefix("Async") for name in names}
    unasync_files([str(source) for source in sources], [Rule(str(ASYNC), str(target), replacements)])
    ruff("check", "--select", "I", "--fix", target)
    ruff("format", target)


def ruff(command: str, *arguments: str | Path) -> None:
    program = Path(sys.executable).with_name("ruff")
    config = ("--config", CLIENT / "pyproject.toml")
    subprocess.run([program, command, *config, "--quiet", *arguments], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CLIENT / "durable_agentflow")
