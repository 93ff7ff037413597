import asyncio
import json
import time

import pytest

from durable_agentflow import AgentFlowError, AsyncClient, NotCompleted, NotFound, WaitTimeout
from durable_agentflow._sync import events as events_module
from durable_agentflow._sync.events import follow

PATH = "/v1/training_runs/run-1/events"


def ids(stub):
    return [received.headers.get("Last-Event-ID") for received in stub.received]


def sequences(events):
    return [event["sequence"] for event in events]


def test_a_stream_cut_in_the_middle_of_an_event_goes_on_after_the_last_whole_one(stub, client):
    stub.says(
        stub.events(1, 2, cut='id: 3\ndata: {"sequence": 3, "type": "st'), stub.events(3), type(stub.error(1))(204)
    )
    assert sequences(follow(client.http, PATH)) == [1, 2, 3]
    assert ids(stub) == ["0", "2", "3"]


def test_an_event_that_comes_again_is_told_once(stub, client):
    stub.says(stub.events(1, 2), stub.events(1, 2, 3), type(stub.error(1))(204))
    assert sequences(follow(client.http, PATH)) == [1, 2, 3]


def test_an_outage_is_told_once_and_waited_out(stub, client):
    said = []
    stub.says(None, stub.error(503), None, stub.events(1, type="run.completed"))
    assert sequences(follow(client.http, PATH, say=said.append)) == [1]
    assert len(said) == 1
    assert "no event is missed" in said[0]


def test_a_stream_that_breaks_after_the_end_is_over(stub, client):
    stub.says(stub.events(1, type="run.completed", cut=": "))
    assert sequences(follow(client.http, PATH)) == [1]
    assert len(stub.received) == 1


def test_what_follows_in_a_revived_run_is_told(stub, client):
    revived = json.dumps({"sequence": 2, "type": "run.running", "data": {}})
    first = stub.events(1, type="run.failed").body.decode()
    stub.says(stub.stream(f"{first}data: {revived}\n\n"), stub.events(3, type="run.completed"))
    assert sequences(follow(client.http, PATH)) == [1, 2, 3]


def test_separators_of_unicode_and_heartbeats_are_no_ends_of_lines(stub, client):
    text = "one\u2028two\u2029three\x85four\x0bfive"
    event = json.dumps({"sequence": 1, "type": "run.completed", "data": {"text": text}}, ensure_ascii=False)
    stub.says(stub.stream(f": heartbeat\n\nid: 1\ndata: {event}\n\n: heartbeat\n\n: heartbeat\n\n"))
    assert [event["data"]["text"] for event in follow(client.http, PATH)] == [text]


def test_an_event_of_a_newer_api_is_passed_on(stub, client):
    event = json.dumps({"sequence": 1, "type": "run.hibernated", "data": {}, "new": [1]})
    stub.says(stub.stream(f"event: other\ndata: {event}\n\n"), type(stub.error(1))(204))
    assert [event["type"] for event in follow(client.http, PATH)] == ["run.hibernated"]


def test_what_is_no_event_is_refused_and_does_not_come_again_and_again(stub, client):
    stub.says(stub.stream("data: [1, 2]\n\n"))
    with pytest.raises(AgentFlowError, match="does not understand"):
        list(follow(client.http, PATH))


def test_a_refusal_is_raised(stub, client):
    stub.says(stub.error(404))
    with pytest.raises(NotFound):
        list(follow(client.http, PATH))


def test_waiting_ends_with_the_run_as_it_ended(stub, client, run):
    done = run | {"status": "completed", "step": 2, "policy": "run-1@2"}
    stub.says(run, run, stub.events(1, 2), stub.events(3, type="run.completed"), done)
    waited = client.runs.get("run-1").wait(progress=False)
    assert (waited.status, waited.step, waited.policy) == ("completed", 2, "run-1@2")


def test_waiting_for_a_run_that_fails_says_why(stub, client, run):
    failure = {"type": "StepDiverged", "message": "two results"}
    failed = run | {"status": "failed", "failure": failure}
    stub.says(run, run, stub.events(1, type="run.failed"), failed)
    with pytest.raises(NotCompleted, match=r"run-1 is failed\. StepDiverged: two results") as raised:
        client.runs.get("run-1").wait(progress=False)
    assert raised.value.submission.failure == failure


def test_waiting_ends_when_the_run_rests_and_not_for_a_rest_of_the_past(stub, client, run):
    paused = run | {"status": "paused"}
    stub.says(run, run, stub.events(1, 2, type="run.paused"), run, paused)
    with pytest.raises(NotCompleted, match=r"is paused. resume\(\)"):
        client.runs.get("run-1").wait(progress=False)


def test_waiting_ends_in_time_although_nothing_is_said(stub, client, run, monkeypatch):
    monkeypatch.setattr(events_module, "SILENCE_BEFORE_DEADLINE_S", 0.05)

    def silent(received):
        if not received.path.endswith("/events"):
            return stub.json(run)
        time.sleep(0.1)
        return stub.stream(": heartbeat\n\n", cut=" ")

    stub.otherwise = silent
    with pytest.raises(WaitTimeout, match="It goes on"):
        client.runs.get("run-1").wait(timeout=0.3, progress=False)


def test_an_asynchronous_wait_can_be_cancelled_and_stops_asking(stub, run):
    async def cancelled():
        async with AsyncClient(stub.url, "k") as client:
            task = asyncio.create_task((await client.runs.get("run-1")).wait(progress=False))
            while not any(received.path == PATH for received in stub.received):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    stub.otherwise = lambda received: stub.events() if received.path == PATH else stub.json(run)
    asyncio.run(cancelled())


def test_an_asynchronous_stream_reconnects_as_well(stub, run):
    async def told():
        async with AsyncClient(stub.url, "k") as client:
            handle = await client.runs.get("run-1")
            return [event["sequence"] async for event in handle.events()]

    stub.says(run, stub.events(1, cut="data: {"), stub.events(2, type="run.completed"))
    assert asyncio.run(told()) == [1, 2]
