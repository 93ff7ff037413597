"""A batch is refused unless it is exactly the frozen input of the step."""

from pathlib import Path
from typing import Any

import pytest

from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import file_sha256
from flow_grpo.trainer.batch import Batch, check_batch, read_batch
from flow_grpo.trainer.hyper_parameters import Lora
from tests.trainer.samples import IDENTITY, MODEL, metadata, random_samples, sample, write_batch

PARENT = "a" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "000001.arrow"


def read(path: Path, samples: list[Any], **changes: Any) -> Batch:
    return read_batch(path, write_batch(path, samples, metadata(samples, "run", 1, PARENT, **changes)))


def refused(type: FailureType, match: str) -> Any:
    return pytest.raises(Failure, match=match, check=lambda error: error.type is type)


def test_samples_come_back_as_written(path: Path) -> None:
    samples = random_samples(1)
    batch = read(path, samples)
    assert list(batch.samples) == samples
    check_batch(batch, "run", 1, PARENT, MODEL, IDENTITY)


def test_an_empty_batch_is_legal(path: Path) -> None:
    assert read(path, []).samples == ()


@pytest.mark.parametrize(("name", "rows"), [("typescript-full", 3), ("typescript-empty", 0)])
def test_files_of_the_typescript_writer_are_read(name: str, rows: int) -> None:
    """Fixtures written by activities/trajectories/batch-file.ts."""
    file = Path(__file__).parent / "fixtures" / f"{name}.arrow"
    batch = read_batch(file, file_sha256(file))
    assert len(batch.samples) == rows
    if rows:
        assert batch.samples[0] == sample(0, 0, 1, [1, 2, 3, 4, 5], [49000, 49001, 49002], 1.0, logprob=-0.5)
        assert batch.metadata.training.weights == Lora(kind="lora", rank=4, alpha=8)


def test_a_missing_or_altered_file_is_refused(path: Path) -> None:
    with refused(FailureType.BatchInvalid, "missing"):
        read_batch(path, "0" * 64)
    samples = random_samples(1)
    sha256 = write_batch(path, samples, metadata(samples, "run", 1, PARENT))
    path.write_bytes(path.read_bytes()[:-1])
    with refused(FailureType.BatchInvalid, "its row says"):
        read_batch(path, sha256)


def test_unknown_formats_and_metadata_are_refused(path: Path) -> None:
    with refused(FailureType.BatchInvalid, "format"):
        read(path, random_samples(1), format=1)
    with refused(FailureType.BatchInvalid, r"training\.flow-grpo\.learning_rate"):
        samples = random_samples(1)
        read(path, samples, training={**metadata(samples, "run", 1, PARENT)["training"], "learning_rate": -1})


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([sample(0, 1, 1, [1], [2], 0.0), sample(0, 0, 1, [1], [2], 1.0)], "not sorted"),
        ([sample(0, 0, 1, [1], [2], 0.0), sample(0, 0, 1, [1], [2], 0.0)], "not sorted"),
        ([sample(0, 0, 1, [1], [2], 0.0), sample(0, 0, 2, [1], [2], 1.0)], "different rewards"),
        ([sample(0, 0, 1, [], [2], 0.0), sample(0, 1, 1, [1], [2], 1.0)], "prompt is empty"),
        ([sample(0, 0, 1, [1], [2], 0.0)], "at least two"),
        ([sample(0, 0, 1, [1], [2], float("nan")), sample(0, 1, 1, [1], [2], 1.0)], "not finite"),
    ],
)
def test_malformed_rows_are_refused(path: Path, rows: list[Any], match: str) -> None:
    with refused(FailureType.BatchInvalid, match):
        read(path, rows)


def test_a_wrong_count_of_groups_is_refused(path: Path) -> None:
    with refused(FailureType.BatchInvalid, "3 groups"):
        read(path, random_samples(1), groups=3)


@pytest.mark.parametrize(
    ("arguments", "type", "match"),
    [
        (("run", 2, PARENT, MODEL, IDENTITY), FailureType.BatchInvalid, "step 1 of run"),
        (("other", 1, PARENT, MODEL, IDENTITY), FailureType.BatchInvalid, "step 1 of run"),
        (("run", 1, "b" * 64, MODEL, IDENTITY), FailureType.BatchInvalid, "was sampled from"),
        (("run", 1, PARENT, "another", IDENTITY), FailureType.WrongIdentity, "base model"),
        (("run", 1, PARENT, MODEL, {**IDENTITY, "prompt": "x"}), FailureType.WrongIdentity, "prompt: p+ there, x here"),
    ],
)
def test_a_batch_of_something_else_is_refused(path: Path, arguments: Any, type: FailureType, match: str) -> None:
    with refused(type, match):
        check_batch(read(path, random_samples(1)), *arguments)


def test_another_trainer_version_is_refused(path: Path) -> None:
    with refused(FailureType.WrongIdentity, "flow-grpo-9"):
        check_batch(read(path, random_samples(1), trainer_version="flow-grpo-9"), "run", 1, PARENT, MODEL, IDENTITY)
