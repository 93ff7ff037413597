"""The index of passages: what is found, in which order, whatever the query holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tantivy
from hypothesis import given
from hypothesis import strategies as st

from flow_grpo.passages.analyzer import make_analyzer, prepare
from flow_grpo.passages.index import Built, Passage, PassageIndex, build_index

MOUNTAINS = [
    Passage(f"Mount {name}", f"{name} is a mountain of {height} metres.")
    for name, height in [("Arda", 3100), ("Belo", 4200), ("Cort", 2900)]
]


def terms(text: str) -> list[str]:
    return make_analyzer().analyze(prepare(text))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> PassageIndex:
    directory = tmp_path_factory.mktemp("index")
    build_index(directory, MOUNTAINS)
    return PassageIndex(directory)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cities", ["the", "citi"]),
        ("Beyonce\u0301 Gérard", ["beyonc", "gerard"]),
        ("\uff33\uff49\uff4c\uff56\uff45\uff52 \ufb01ne", ["silver", "fine"]),
        ("東京 タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("a-b_c/d.e", ["a", "b", "c", "d", "e"]),
        ("x" * 300 + " y", ["y"]),
        ("***", []),
    ],
)
def test_texts_and_queries_become_the_same_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_the_best_come_first_and_no_more_than_were_asked_for(index: PassageIndex) -> None:
    found = index.search("How many metres has Belo?", 2)
    assert [passage.title for passage, _ in found] == ["Mount Belo", "Mount Arda"]
    assert found[0].passage == MOUNTAINS[1]
    assert found[0].score > found[1].score > 0


def test_repeated_passages_are_held_once_and_equal_scores_keep_the_order(tmp_path: Path) -> None:
    passages = [Passage(str(number % 40), "the same") for number in range(80)]
    assert build_index(tmp_path, passages) == Built(passages=40, repeated=40)
    found = PassageIndex(tmp_path).search("same", 12)
    assert [passage.title for passage, _ in found] == [str(number) for number in range(12)]


def test_results_do_not_depend_on_how_the_index_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"w{number}" for number in range(50)]
    passages = [
        Passage(str(number), " ".join(words[(number * step) % 50] for step in range(1, 40)) + f" {number} filler" * 30)
        for number in range(20_000)
    ]
    answers: list[list[str]] = []
    segments: list[int] = []
    for name, heap in [("one", 400_000_000), ("many", 15_000_000)]:
        monkeypatch.setattr("flow_grpo.passages.index.WRITER_BYTES", heap)
        directory = tmp_path / name
        directory.mkdir()
        build_index(directory, passages)
        segments.append(tantivy.Index.open(str(directory)).searcher().num_segments)
        index = PassageIndex(directory)
        queries = [f"w{number} w{number + 1} filler {number * 7}" for number in range(40)]
        answers.append([passage.title for query in queries for passage, _ in index.search(query, 5)])
    assert segments[0] < segments[1]
    assert answers[0] == answers[1]


@given(st.text(max_size=300))
def test_no_query_is_an_error(index: PassageIndex, query: str) -> None:
    assert len(index.search(query, 5)) <= 3


def test_a_directory_without_an_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((ValueError, OSError)):
        PassageIndex(tmp_path)


def run(command: str, directory: Path, lines: list[object]) -> list[dict[str, object]]:
    given_lines = "".join(json.dumps(line) + "\n" for line in lines)
    arguments = [sys.executable, "-m", "flow_grpo.passages", command, str(directory)]
    ended = subprocess.run(arguments, input=given_lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_process_builds_and_searches(tmp_path: Path) -> None:
    (built,) = run("build", tmp_path, list(MOUNTAINS))
    assert (built["passages"], built["repeated"]) == (3, 0)
    opened, *answers = run(
        "search", tmp_path, [{"id": 7, "query": "Cort", "count": 1}, {"id": 8, "query": "", "count": 1}]
    )
    assert opened == {"analyzer": built["analyzer"], "passages": 3}
    assert answers == [{"id": 7, "passages": [MOUNTAINS[2]._asdict()]}, {"id": 8, "passages": []}]
