import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from flow_grpo import tensor_files
from flow_grpo.tensor_files import save_tensors
from flow_grpo.trainer.outage import is_outage

TENSORS = {"a": torch.arange(100_000)}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(TENSORS, path)
    assert torch.equal(load_file(path)["a"], TENSORS["a"])


def test_a_write_that_the_system_refuses_is_an_error_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with files_of_at_most(1024), pytest.raises(OSError, match=r"a\.safetensors") as caught:
        save_tensors(TENSORS, path)
    assert caught.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        # What version 0.8 raises on a full tmpfs, word for word.
        message = "Error while serializing: I/O error: No space left on device (os error 28)"
        raise SafetensorError(message)

    monkeypatch.setattr(tensor_files, "save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_tensors(TENSORS, tmp_path / "a.safetensors")
    assert is_outage(caught.value)


def test_another_error_of_the_library_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="share memory"):
        save_tensors({"a": TENSORS["a"], "b": TENSORS["a"]}, tmp_path / "a.safetensors")
