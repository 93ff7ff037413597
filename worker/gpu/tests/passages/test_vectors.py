"""The vectors of passages: exact or rounded, the nearest found, what is no vector refused."""

import json
import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_grpo.passages.index import Passage, PassageIndex, build_index
from flow_grpo.passages.vectors import STORED, VectorIndex, build_vectors

DIMENSION = 16


def unit_vectors(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(directory: Path, vectors: np.ndarray, precision: str = "float32") -> VectorIndex:
    rows, file = directory / "rows", directory / f"{precision}.faiss"
    vectors.astype("<f4").tofile(rows)
    assert build_vectors(file, rows, vectors.shape[1], precision) == len(vectors)
    return VectorIndex(file)


def nearest(vectors: np.ndarray, query: np.ndarray, count: int) -> list[int]:
    return np.argsort(-(vectors.astype(np.float64) @ query.astype(np.float64)), kind="stable")[:count].tolist()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1_000), count=st.integers(1, 200))
def test_float32_finds_what_comparing_with_every_vector_finds(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    vectors = unit_vectors(count, seed)
    query = unit_vectors(1, seed + 1)[0]
    index = build(tmp_path_factory.mktemp("vectors"), vectors)
    assert (len(index), index.dimension) == (count, DIMENSION)
    assert [near.number for near in index.search(query.tolist(), 5)] == nearest(vectors, query, 5)


@pytest.mark.parametrize(("precision", "least"), [("float16", 0.99), ("int8", 0.95)])
def test_rounded_vectors_find_nearly_the_same(tmp_path: Path, precision: str, least: float) -> None:
    vectors = unit_vectors(5_000)
    index = build(tmp_path, vectors, precision)
    queries = unit_vectors(200, seed=1)
    found = [{near.number for near in index.search(query.tolist(), 5)} for query in queries]
    right = [set(nearest(vectors, query, 5)) for query in queries]
    assert np.mean([len(some & others) / 5 for some, others in zip(found, right, strict=True)]) > least


def test_every_precision_is_one_that_faiss_has_and_the_file_depends_on_the_vectors_alone(tmp_path: Path) -> None:
    vectors = unit_vectors(300)
    for precision in STORED:
        build(tmp_path, vectors, precision)
        first = (tmp_path / f"{precision}.faiss").read_bytes()
        build(tmp_path, vectors, precision)
        assert (tmp_path / f"{precision}.faiss").read_bytes() == first


def test_the_range_of_int8_is_that_of_all_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit_vectors(300)
    build(tmp_path, vectors, "int8")
    whole = (tmp_path / "int8.faiss").read_bytes()
    monkeypatch.setattr("flow_grpo.passages.vectors.ROWS_AT_ONCE", 7)
    build(tmp_path, vectors, "int8")
    assert (tmp_path / "int8.faiss").read_bytes() == whole


def test_equal_vectors_keep_the_order(tmp_path: Path) -> None:
    index = build(tmp_path, np.repeat(unit_vectors(1), 15, axis=0))
    assert [near.number for near in index.search(unit_vectors(1)[0].tolist(), 4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 2.0])
def test_a_row_that_is_no_unit_vector_is_named(tmp_path: Path, value: float) -> None:
    vectors = unit_vectors(10)
    vectors[7] = value
    with pytest.raises(ValueError, match="passage 7 is no unit vector"):
        build(tmp_path, vectors)


def test_a_file_that_is_cut_is_an_error(tmp_path: Path) -> None:
    build(tmp_path, unit_vectors(10))
    file = tmp_path / "float32.faiss"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(RuntimeError):
        VectorIndex(file)


def test_the_file_is_read_through_the_page_cache(tmp_path: Path) -> None:
    index = build(tmp_path, unit_vectors(10))
    assert str(tmp_path / "float32.faiss") in Path("/proc/self/maps").read_text()
    assert len(index) == 10


def test_passages_are_found_by_their_numbers(tmp_path: Path) -> None:
    build_index(tmp_path, [Passage(str(number), f"text {number}") for number in range(100)])
    index = PassageIndex(tmp_path)
    assert [title for title, _ in index.numbered(40, 5)] == ["40", "41", "42", "43", "44"]
    assert [title for title, _ in index.numbered(98, 5)] == ["98", "99"]
    assert index.numbered(100, 5) == []


def run(command: str, directory: Path, lines: list[object]) -> list[dict[str, object]]:
    given_lines = "".join(json.dumps(line) + "\n" for line in lines)
    arguments = [sys.executable, "-m", "flow_grpo.passages", command, str(directory)]
    ended = subprocess.run(arguments, input=given_lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_process_adds_vectors_and_searches_by_them(tmp_path: Path) -> None:
    directory = tmp_path / "engine"
    directory.mkdir()
    passages = [Passage(str(number), f"text {number}") for number in range(20)]
    build_index(directory, passages)
    vectors = unit_vectors(20)
    vectors.tofile(tmp_path / "rows")
    order = {"rows": str(tmp_path / "rows"), "dimension": DIMENSION, "precision": "float32"}
    assert run("add-vectors", directory, [order]) == [{"engine": f"faiss {faiss.__version__}", "vectors": 20}]
    opened, by_vector, by_number, by_words = run(
        "search",
        directory,
        [
            {"id": 1, "vector": vectors[13].tolist(), "count": 1},
            {"id": 2, "first": 3, "count": 2},
            {"id": 3, "query": "17", "count": 1},
        ],
    )
    assert (opened["vectors"], opened["dimension"]) == (20, DIMENSION)
    assert by_vector == {"id": 1, "passages": [passages[13]._asdict()]}
    assert by_number == {"id": 2, "passages": [passages[3]._asdict(), passages[4]._asdict()]}
    assert by_words == {"id": 3, "passages": [passages[17]._asdict()]}
