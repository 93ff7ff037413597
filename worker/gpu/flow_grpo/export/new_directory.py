"""A directory that is whole or absent, for whoever writes its files one by one."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flow_grpo.artifacts import fsync_directory, make_directories


class DirectoryInUse(Exception):
    """There is something where the new directory should be."""


@contextmanager
def new_directory(target: Path) -> Iterator[Path]:
    """A temporary directory that becomes `target` at the end of the block, or is removed if the block raises.

    Raises DirectoryInUse where `target` is a file or holds anything.
    """
    _refuse_in_use(target)
    make_directories(target.parent)
    temporary = target.with_name(f".{target.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        yield temporary
        for path in temporary.iterdir():
            _fsync_file(path)
        fsync_directory(temporary)
        _refuse_in_use(target)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    fsync_directory(target.parent)


def _refuse_in_use(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DirectoryInUse(f"{target} is not an empty directory: nothing is overwritten")


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
