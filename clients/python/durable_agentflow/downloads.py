"""Where the files of an export gather until all of them are there. It needs Linux or macOS."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .api_types import File
from .errors import DownloadFailed

PIECE_BYTES = 256 * 1024
REMOVE_IT = "remove it, then download again."


class Part:
    """A file of an export of which a part may have arrived."""

    def __init__(self, file: File, fd: int) -> None:
        self.name = file["name"]
        self.bytes = file["bytes"]
        self.sha256 = file["sha256"]
        self._fd = fd

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def append(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def pieces(self) -> Iterator[bytes]:
        at = 0
        while piece := os.pread(self._fd, PIECE_BYTES, at):
            yield piece
            at += len(piece)

    def empty(self) -> None:
        os.ftruncate(self._fd, 0)

    def sync(self) -> None:
        os.fsync(self._fd)


@contextmanager
def gathered(target: Path, id: str, files: Sequence[File]) -> Iterator[list[Part]]:
    """The parts, in a directory beside the target that takes its place if the block ends well.

    What is there of an earlier download is gone on with. Raises DownloadFailed if anything but these files is in the
    way, and OSError for what the file system refuses.
    """
    names = [file["name"] for file in files]
    for name in names:
        if name in {"", ".", ".."} or os.path.basename(name) != name:
            raise DownloadFailed(f'{id} names a file "{name}", which is not the name of one.')
    require_free(target)
    gathering = target.parent / f".{target.name}.{id}"
    with ExitStack() as opened:
        directory = open_private(gathering)
        opened.callback(os.close, directory)
        require_only(directory, gathering, id, names)
        parts = []
        for file in files:  # all at once: their locks keep another download out to the end
            fd = open_plain(directory, gathering / file["name"])
            opened.callback(os.close, fd)
            parts.append(Part(file, fd))
        yield parts
        require_only(directory, gathering, id, names)
        require_free(target)
        gathering.rename(target)


def require_free(target: Path) -> None:
    if not target.parent.is_dir():
        raise DownloadFailed(f"{target.parent} is not a directory: make it, then download again.")
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise DownloadFailed(f"{target} is not an empty directory: nothing is overwritten.")


def open_private(path: Path) -> int:
    """Makes the directory, or takes the one that an earlier call made: another's could be changed meanwhile."""
    if not os.path.lexists(path):
        path.mkdir(mode=0o700)
    refused = f"{path} is not a directory of yours: {REMOVE_IT}"
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise DownloadFailed(refused)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(fd).st_uid != os.getuid():
            raise DownloadFailed(refused)
        os.fchmod(fd, 0o700)
    except BaseException:
        os.close(fd)
        raise
    return fd


def require_only(directory: int, path: Path, id: str, names: Sequence[str]) -> None:
    """Something else among the files would be taken for a part of the export."""
    for name in os.listdir(directory):
        if name not in names:
            raise DownloadFailed(f"{path / name} is no file of {id}: {REMOVE_IT}")


def open_plain(directory: int, path: Path) -> int:
    """Opens a file to read and to append, and locks it. A link, also a hard one, could lead to any other file."""
    import fcntl  # not on Windows, where the rest of the client works

    refused = f"{path} is not a plain file of yours: {REMOVE_IT}"
    try:
        before = os.stat(path.name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before.st_mode):
        raise DownloadFailed(refused)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    fd = os.open(path.name, flags, 0o666, dir_fd=directory)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.getuid():
            raise DownloadFailed(refused)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise DownloadFailed(f"Another download is writing {path}: wait until it has ended.") from None
    except BaseException:
        os.close(fd)
        raise
    return fd
