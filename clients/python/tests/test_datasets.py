import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import numpy
import pandas
import pytest

from durable_agentflow import AsyncClient, Conflict, NotCompleted, WaitTimeout

QUESTION = {"question": "Who wrote it?", "answer": "Verne"}


def dataset(status="checking", mistakes=(), count=None):
    upload = {"id": "dataset-1", "status": status, "mistakes": count or len(mistakes)}
    check = None if status == "checking" else {"mistakes": list(mistakes)}
    return {"id": "people", "object": "dataset", "kind": "uploaded", "upload": upload, "check": check}


def mistake(place, column, message="has no Answer."):
    return {"row": 1, "place": place, "column": column, "message": message}


def sent(stub):
    """The records of the last request."""
    received = stub.received[-1]
    assert received.headers["Content-Type"] == "application/jsonl"
    return [json.loads(line) for line in received.body.decode().splitlines()]


def test_the_query_says_what_it_is_called_and_where_its_parts_are(stub, client):
    stub.says(dataset())
    made = client.datasets.upload([QUESTION], name="people", question="Q", answer=["A", "B"], held_out=2)
    assert (made.id, made.status) == ("people", "checking")
    url = urlsplit(stub.received[0].path)
    assert url.path == "/v1/datasets"
    assert parse_qs(url.query) == {"name": ["people"], "question": ["Q"], "answer": ["A", "B"], "held_out": ["2"]}
    assert sent(stub) == [QUESTION]


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("a.jsonl", "application/jsonl"),
        ("a.JSON", "application/jsonl"),
        ("a.tsv", "text/csv"),
        ("a.parquet", "application/vnd.apache.parquet"),
    ],
)
def test_a_file_is_sent_as_it_is_with_its_type(stub, client, tmp_path, name, type):
    file = tmp_path / name
    file.write_bytes(b"\xef\xbb\xbfquestion\n\x00")
    stub.says(dataset(), dataset())
    client.datasets.upload(file, name="people")
    client.datasets.upload(str(file), name="people", format="csv")
    assert [received.body for received in stub.received] == [file.read_bytes()] * 2
    assert [received.headers["Content-Type"] for received in stub.received] == [type, "text/csv"]


@pytest.mark.parametrize("is_async", [False, True])
def test_each_attempt_sends_the_whole_file(stub, client, tmp_path, is_async):
    file = tmp_path / "large.csv"
    file.write_bytes(b"question,answer\n" * 100_000)
    stub.says(stub.error(503), None, dataset())

    async def upload():
        async with AsyncClient(stub.url, "k") as other:
            return await other.datasets.upload(file, name="people")

    made = asyncio.run(upload()) if is_async else client.datasets.upload(file, name="people")
    assert made.id == "people"
    assert [received.body == file.read_bytes() for received in stub.received] == [True] * 3
    assert len({received.headers["Idempotency-Key"] for received in stub.received}) == 1


def test_what_cannot_be_sent_is_refused_before_anything_is(stub, client, tmp_path):
    upload = client.datasets.upload
    with pytest.raises(FileNotFoundError):
        upload(tmp_path / "none.csv", name="people")
    (tmp_path / "people.xlsx").touch()
    with pytest.raises(ValueError, match=r"people\.xlsx is none of \.jsonl, .* say a format of jsonl, csv, parquet"):
        upload(tmp_path / "people.xlsx", name="people")
    with pytest.raises(ValueError, match="bytes do not say what they are: say a format"):
        upload(b"x", name="people")
    with pytest.raises(ValueError, match='"xml" is no format'):
        upload(b"x", name="people", format="xml")
    with pytest.raises(ValueError, match="sent as jsonl, not as csv"):
        upload([QUESTION], name="people", format="csv")
    with pytest.raises(ValueError, match="not JSON compliant"):
        upload([{"question": "Who?", "answer": float("nan")}], name="people")
    with pytest.raises(TypeError, match="A Timestamp cannot be written as JSON"):
        upload(pandas.DataFrame({"at": pandas.to_datetime(["2026-01-02"])}), name="people")
    with pytest.raises(ValueError, match="are there twice: answer"):
        upload(pandas.DataFrame([["Who?", "Ada", "Eva"]], columns=["question", "answer", "answer"]), name="people")
    assert stub.received == []


def test_a_cell_of_a_data_frame_that_is_missing_is_a_field_that_is_not_there(stub, client):
    frame = pandas.DataFrame(
        {
            "question": ["größer?", "b", "c"],
            "answer": [numpy.array(["Ada", "Eva"]), ["x"], "y"],
            "level": [1.5, numpy.nan, None],
            "year": pandas.array([1843, None, 1], dtype="Int64"),
            "at": pandas.to_datetime([None, None, None]),
        },
        index=[7, 8, 9],
    )
    stub.says(dataset())
    client.datasets.upload(frame, name="people")
    assert sent(stub) == [
        {"question": "größer?", "answer": ["Ada", "Eva"], "level": 1.5, "year": 1843},
        {"question": "b", "answer": ["x"]},
        {"question": "c", "answer": "y", "year": 1},
    ]


def test_numbers_of_a_data_frame_keep_their_digits(stub, client):
    frame = pandas.DataFrame({"n": [2**53 + 1, -1], "x": [0.1 + 0.2, 1e-300]})
    stub.says(dataset())
    client.datasets.upload(frame, name="people")
    assert sent(stub) == [{"n": 9007199254740993, "x": 0.30000000000000004}, {"n": -1, "x": 1e-300}]


def test_it_is_awaited_until_it_is_ready(stub, client, monkeypatch):
    monkeypatch.setattr("durable_agentflow._sync.datasets.POLL_S", 0.001)
    stub.says(dataset(), dataset(), dataset("ready"))
    assert client.datasets.upload([QUESTION], name="people").wait(timeout=60).status == "ready"
    assert [urlsplit(received.path).path for received in stub.received[1:]] == ["/v1/datasets/people"] * 2


def test_a_refused_one_is_told_with_its_first_mistakes(stub, client):
    mistakes = [
        mistake("line 3", "Answer"),
        mistake("record 4", None),
        mistake(None, None, "is a PDF"),
        mistake("x", "y"),
    ]
    stub.says(dataset("refused", mistakes, count=250), dataset("refused", mistakes, count=250))
    found = client.datasets.get("people")
    with pytest.raises(NotCompleted) as raised:
        found.wait()
    assert str(raised.value) == (
        "people is refused: line 3, column Answer: has no Answer; record 4: has no Answer; is a PDF; 247 more. "
        "Mend the file, delete this one, and upload it again."
    )
    assert raised.value.submission is found


def test_what_is_not_checked_in_time_goes_on(stub, client):
    stub.otherwise = lambda received: stub.json(dataset())
    with pytest.raises(WaitTimeout, match="The check goes on"):
        client.datasets.get("people").wait(timeout=0)


def test_what_is_registered_is_ready_and_has_no_check(stub, client):
    registered = {"id": "atlas", "object": "dataset", "kind": "computed", "upload": None}
    stub.says(stub.page(registered))
    (found,) = client.datasets.list()
    assert (found.status, found.check) == ("ready", None)


def test_its_questions_are_a_list_and_a_data_frame(stub, client):
    stub.says(dataset("ready"), stub.page({"row": 1} | QUESTION), stub.page({"row": 1} | QUESTION))
    found = client.datasets.get("people")
    assert found.rows(limit=1).to_list() == [{"row": 1} | QUESTION]
    assert list(found.rows().to_pandas()["answer"]) == ["Verne"]


def test_the_refusal_of_a_deletion_names_what_uses_it(stub, client):
    stub.says(dataset("ready"), stub.error(409, "dataset_in_use"))
    with pytest.raises(Conflict) as raised:
        client.datasets.get("people").delete()
    assert raised.value.code == "dataset_in_use"
