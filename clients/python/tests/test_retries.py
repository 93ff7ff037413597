import asyncio
import socket
import time

import pytest

from durable_agentflow import ApiUnreachable, AsyncClient, Client, NotFound, ServerFailed, retries


def keys(stub):
    return [received.headers.get("Idempotency-Key") for received in stub.received]


def test_every_attempt_of_a_create_carries_the_same_key_so_that_it_creates_once(stub, client, run):
    stub.says(None, stub.error(503), stub.error(504), run)
    assert client.runs.create({"steps": 2}).id == "run-1"
    assert len(stub.received) == 4
    assert len(set(keys(stub))) == 1
    assert [received.json() for received in stub.received] == [{"steps": 2}] * 4


def test_two_creates_have_two_keys_and_a_given_key_is_kept(stub, client, run):
    stub.says(run, run, run)
    client.runs.create({})
    client.runs.create({})
    client.runs.create({}, idempotency_key="mine")
    first, second, third = keys(stub)
    assert first != second
    assert third == "mine"


def test_an_asynchronous_create_is_repeated_as_well(stub, run):
    async def create():
        async with AsyncClient(stub.url, "k") as client:
            return await client.runs.create({})

    stub.says(None, run)
    assert asyncio.run(create()).id == "run-1"
    assert len(set(keys(stub))) == 1


def test_a_verb_is_not_repeated_once_the_api_may_have_got_it(stub, client, run):
    stub.says(run, None, run)
    handle = client.runs.get("run-1")
    with pytest.raises(ApiUnreachable):
        handle.pause()
    stub.replies.clear()
    stub.says(stub.error(503), run)
    with pytest.raises(ServerFailed):
        handle.stop()
    assert [received.path for received in stub.received] == [
        "/v1/training_runs/run-1",
        "/v1/training_runs/run-1/pause",
        "/v1/training_runs/run-1/stop",
    ]


def test_a_verb_is_repeated_if_the_api_says_that_it_did_nothing(stub, client, run):
    stub.says(run, stub.error(429), run)
    client.runs.get("run-1").pause()
    assert len(stub.received) == 3


def test_a_defect_is_not_repeated(stub, client):
    stub.says(stub.error(500))
    with pytest.raises(ServerFailed):
        client.runs.get("run-1")
    assert len(stub.received) == 1


def test_attempts_have_an_end(stub, client):
    stub.otherwise = lambda received: stub.error(503)
    with pytest.raises(ServerFailed):
        client.runs.get("run-1")
    assert len(stub.received) == retries.ATTEMPTS


def test_a_deletion_whose_answer_was_lost_has_happened(stub, client, run):
    stub.says(run, None, stub.error(404))
    client.runs.get("run-1").delete()
    stub.says(run, stub.error(404))
    with pytest.raises(NotFound):
        client.runs.get("run-1").delete()


def test_the_api_says_how_long_to_wait(stub, client, run, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    busy = stub.error(503)
    busy.headers["Retry-After"] = "7"
    stub.says(busy, run)
    client.runs.get("run-1")
    assert pauses == [7]


def test_an_api_that_is_not_there_says_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Client(url, "k") as client, pytest.raises(ApiUnreachable, match=f"{url}.*npm run up"):
            client.runs.get("run-1")
