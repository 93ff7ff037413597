"""Artifacts in a directory tree, addressed by file:// URIs. A directory artifact is whole or absent (I8).

Its files are written into `<directory>.tmp-<pid>-<random>`, each is fsynced, the directory is renamed to its final
name and the parent is fsynced. The artifact exists when its manifest does, and the manifest holds the sha256 of each
file, so damage is seen by whoever reads it.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flow_grpo.policy import MANIFEST, file_sha256

Content = bytes | Callable[[Path], None]
"""Of a file: its bytes, or what writes it to a path that does not exist yet."""


class ArtifactMissing(Exception):
    """The artifact does not exist: no such file, or a directory without a manifest."""


class ArtifactBroken(Exception):
    """The artifact exists, but a file in it is not the one its manifest names."""


class ArtifactOutsideStore(Exception):
    """A URI that does not name a file below the root of the artifact store."""


def file_uri(path: Path) -> str:
    """The file:// URI of an absolute path."""
    return path.as_uri()


def uri_path(uri: str) -> Path:
    """The absolute path that a file:// URI names. Raises ArtifactOutsideStore for any other URI."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.is_absolute():
        raise ArtifactOutsideStore(f"{uri!r} is not a file:// URI with an absolute path")
    return path


def path_in_store(root: Path, uri: str) -> Path:
    """The path of an artifact of the store. Raises ArtifactOutsideStore when it is not below the root."""
    path = uri_path(uri).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ArtifactOutsideStore(f"{uri!r} is not below the artifact store {root}")
    return path


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and force it to the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def fsync_directory(directory: Path) -> None:
    """Force a directory's entries to the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(directory: Path) -> None:
    """Create a directory and its missing parents, each forced to the disk."""
    if not directory.is_dir():
        make_directories(directory.parent)
        directory.mkdir(exist_ok=True)
        fsync_directory(directory.parent)


def commit_directory(directory: Path, files: Mapping[str, Content], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Write a directory artifact if it does not stand yet; return the manifest of the one that stands.

    `files` maps names to contents, or to what writes a file of any size; `manifest` is stored with their sha256s added
    as `files`. A standing directory that is whole is kept as it is: compare the returned manifest with what you meant
    to write. One that is broken is moved aside to `.broken-<name>-<random>`. When writing fails (a full disk) nothing
    stands and OSError is raised.
    """
    make_directories(directory.parent)
    standing = standing_manifest(directory)
    if standing is not None:
        # Who named it may have died before that was on the disk.
        fsync_directory(directory.parent)
        return standing
    temporary = directory.with_name(f"{directory.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        temporary.mkdir()
        for name, content in files.items():
            _write(temporary / name, content)
        sealed = {**manifest, "files": {name: file_sha256(temporary / name) for name in files}}
        write_file(temporary / MANIFEST, json.dumps(sealed, sort_keys=True, indent=1).encode() + b"\n")
        fsync_directory(temporary)
        temporary.rename(directory)
    except OSError:
        # Another worker may have been faster: then its directory is the one that stands.
        standing = standing_manifest(directory)
        if standing is None:
            raise
        return standing
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    fsync_directory(directory.parent)
    return sealed


def check_directory(directory: Path) -> dict[str, Any]:
    """The manifest of a directory artifact, with every file checked against its sha256.

    Raises ArtifactMissing without a manifest, ArtifactBroken when a file is missing or differs.
    """
    manifest = read_manifest(directory)
    for name, sha256 in manifest["files"].items():
        _check_file(directory / name, sha256)
    return manifest


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of a directory artifact. Raises ArtifactMissing, or ArtifactBroken when it cannot be read."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactMissing(f"{directory} has no {MANIFEST}") from None
    except ValueError as error:
        raise ArtifactBroken(f"{path} is not JSON: {error}") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtifactBroken(f"{path} lacks `files`, the sha256 of each file")
    return manifest


def move_aside(directory: Path, mark: str = "broken") -> Path:
    """Rename a directory to `.<mark>-<name>-<random>`: its name is free at once, its files can still be looked at."""
    aside = directory.with_name(f".{mark}-{directory.name}-{secrets.token_hex(4)}")
    directory.rename(aside)
    fsync_directory(directory.parent)
    return aside


def put_back(aside: Path, directory: Path) -> None:
    """Undo `move_aside`. Raises OSError when something stands under the name, or nothing lies aside any more."""
    aside.rename(directory)
    fsync_directory(directory.parent)


def directory_bytes(directory: Path) -> int:
    """Size of a directory's files in bytes."""
    return sum(path.stat().st_size for path in directory.iterdir())


def _write(path: Path, content: Content) -> None:
    if isinstance(content, bytes):
        write_file(path, content)
        return
    content(path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _check_file(path: Path, expected: str) -> None:
    try:
        actual = file_sha256(path)
    except FileNotFoundError:
        raise ArtifactBroken(f"{path} is missing") from None
    if actual != expected:
        size = path.stat().st_size
        raise ArtifactBroken(f"{path} ({size} bytes) has sha256 {actual}, the manifest names {expected}")


def standing_manifest(directory: Path) -> dict[str, Any] | None:
    """The manifest of a directory artifact, if a whole one stands; a broken one is moved aside."""
    if not directory.exists():
        return None
    try:
        return check_directory(directory)
    except (ArtifactMissing, ArtifactBroken):
        move_aside(directory)
        return None
