"""A directory artifact is whole or absent."""

import errno
import hashlib
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flow_grpo import artifacts
from flow_grpo.artifacts import ArtifactBroken, ArtifactMissing, ArtifactOutsideStore, commit_directory
from tests.directories import load_directory

FILES = {"a.bin": b"a" * 5000, "b.json": b"{}"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "r" / "checkpoints" / "000001"


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """Writes past `limit` bytes fail in the middle of the file, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_committed_is_read_back(target: Path) -> None:
    manifest = commit_directory(target, FILES, {"step": 1})
    assert load_directory(target) == (manifest, FILES)
    assert manifest["step"] == 1
    assert [path.name for path in target.parent.iterdir()] == ["000001"]


class Forced:
    """What is forced to the disk, in order: inodes, and `named` where a directory gets its final name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[int | str] = []
        fsync, rename = os.fsync, Path.rename

        def recorded_fsync(descriptor: int) -> None:
            self.steps.append(os.fstat(descriptor).st_ino)
            fsync(descriptor)

        def recorded_rename(path: Path, name: Path) -> Path:
            self.steps.append("named")
            return rename(path, name)

        monkeypatch.setattr(os, "fsync", recorded_fsync)
        monkeypatch.setattr(Path, "rename", recorded_rename)


def inodes(*paths: Path) -> list[int]:
    return [path.stat().st_ino for path in paths]


def test_i8_files_are_on_the_disk_before_the_directory_has_its_name_and_the_name_before_it_is_used(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.parent.mkdir(parents=True)
    forced = Forced(monkeypatch)

    def written_by_another(path: Path) -> None:
        path.write_bytes(b"c" * 100)

    commit_directory(target, {**FILES, "c.bin": written_by_another}, {"step": 1})
    before, after = forced.steps[: forced.steps.index("named")], forced.steps[forced.steps.index("named") + 1 :]
    assert set(before) == set(inodes(*target.iterdir(), target))
    assert before[-1] == target.stat().st_ino
    assert after == inodes(target.parent)


def test_i8_every_directory_that_is_made_on_the_way_is_on_the_disk(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced = Forced(monkeypatch)
    commit_directory(target, FILES, {"step": 1})
    assert forced.steps[:3] == inodes(tmp_path, tmp_path / "runs", tmp_path / "runs" / "r")


def test_i8_the_name_of_a_directory_whose_writer_died_is_on_the_disk_before_it_is_used(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_directory(target, FILES, {"step": 1})
    forced = Forced(monkeypatch)
    commit_directory(target, FILES, {"step": 1})
    assert forced.steps == inodes(target.parent)


def test_a_whole_directory_is_never_written_again(target: Path) -> None:
    first = commit_directory(target, FILES, {"step": 1})
    assert commit_directory(target, {"other": b"x"}, {"step": 2}) == first
    assert load_directory(target)[1] == FILES


@pytest.mark.parametrize("damage", ["truncate", "remove", "alter", "manifest", "no manifest"])
def test_a_broken_directory_is_seen_and_moved_aside(target: Path, damage: str) -> None:
    commit_directory(target, FILES, {"step": 1})
    match damage:
        case "truncate":
            (target / "a.bin").write_bytes(b"a" * 4999)
        case "remove":
            (target / "a.bin").unlink()
        case "alter":
            (target / "a.bin").write_bytes(b"b" * 5000)
        case "manifest":
            (target / "manifest.json").write_text("{")
        case "no manifest":
            (target / "manifest.json").unlink()
    with pytest.raises((ArtifactBroken, ArtifactMissing)):
        load_directory(target)
    commit_directory(target, FILES, {"step": 1})
    assert load_directory(target)[1] == FILES
    assert len(list(target.parent.glob(".broken-000001-*"))) == 1


def test_a_full_disk_leaves_nothing(target: Path) -> None:
    with file_size_limit(1000), pytest.raises(OSError, match="File too large") as caught:
        commit_directory(target, FILES, {"step": 1})
    assert caught.value.errno == errno.EFBIG
    assert list(target.parent.iterdir()) == []
    commit_directory(target, FILES, {"step": 1})


def test_a_faster_worker_wins(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def overtaken(self: Path, to: Path) -> Path:
        if ".tmp-" in self.name and not to.exists():
            to.mkdir()
            (to / "a.bin").write_bytes(b"theirs")
            files = {"a.bin": hashlib.sha256(b"theirs").hexdigest()}
            (to / "manifest.json").write_text(json.dumps({"worker": 2, "files": files}))
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", overtaken)
    assert commit_directory(target, FILES, {"worker": 1})["worker"] == 2
    assert load_directory(target)[1] == {"a.bin": b"theirs"}
    assert [path.name for path in target.parent.iterdir()] == ["000001"]


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/a", "https://host/a", "relative/a", "file://host/a", "file:///elsewhere/a", "file:///store/../etc/a"],
)
def test_a_uri_cannot_leave_the_store(uri: str) -> None:
    with pytest.raises(ArtifactOutsideStore):
        artifacts.path_in_store(Path("/store"), uri)


def test_a_uri_names_its_path() -> None:
    path = Path("/store/runs/a b/c.arrow")
    assert artifacts.path_in_store(Path("/store"), artifacts.file_uri(path)) == path
