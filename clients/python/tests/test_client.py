import asyncio
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy
import pytest

from durable_agentflow import AsyncClient, Client

ROOT = Path(__file__).resolve().parents[3]


def test_a_status_or_field_of_a_newer_api_breaks_nothing(stub, client, run):
    newer = run | {"status": "hibernating", "mood": {"a": 1}}
    del newer["policy"]
    stub.says(stub.page(newer))
    (found,) = client.runs.list()
    assert (found.status, found["mood"]) == ("hibernating", {"a": 1})


def test_a_list_is_read_page_by_page(stub, client, run):
    stub.says(stub.page(run, run, more=True), stub.page(run))
    assert len(client.runs.list().to_list()) == 3
    asked = [parse_qs(urlsplit(received.path).query) for received in stub.received]
    assert asked == [{"limit": ["100"]}, {"limit": ["100"], "after": ["last"]}]


def test_a_limit_is_that_of_the_whole_list(stub, client, run):
    stub.says(stub.page(*[run] * 100, more=True), stub.page(*[run] * 50, more=True))
    assert len(client.runs.list(limit=150).to_list()) == 150
    assert [parse_qs(urlsplit(received.path).query)["limit"] for received in stub.received] == [["100"], ["50"]]


def test_the_client_works_where_a_loop_is_running_as_in_a_notebook(stub, client, run):
    async def cell():
        return client.runs.get("run-1").wait(progress=False)

    stub.says(run, run, stub.events(1, type="run.completed"), run | {"status": "completed"})
    assert asyncio.run(cell()).status == "completed"


def test_proxies_of_the_environment_are_not_asked_for_the_local_api(stub, run, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    stub.says(run)
    with Client(stub.url, "k") as client:
        assert client.runs.get("run-1").id == "run-1"


@pytest.mark.parametrize("as_text", [True, False])
def test_text_and_files_are_sent_as_they_are(stub, client, run, tmp_path, as_text):
    file = tmp_path / "run.yaml"
    text = "steps: 2 # zwei\nname: größer\n"
    file.write_text(text, encoding="utf-8")
    stub.says(run, run)
    client.runs.create(text if as_text else file)
    client.runs.create(str(file))
    assert [received.body.decode() for received in stub.received] == [text, text]
    assert {received.headers["Content-Type"] for received in stub.received} == {"application/yaml"}


def test_a_file_that_is_not_there_is_no_configuration(client):
    with pytest.raises(FileNotFoundError):
        client.runs.create("nowhere.yaml")


def test_numbers_of_numpy_are_numbers_and_nan_is_refused(stub, client, run):
    stub.says(run)
    client.runs.create({"steps": numpy.int64(3), "training": {"learning_rate": numpy.float32(0.5)}})
    assert stub.received[0].json() == {"steps": 3, "training": {"learning_rate": 0.5}}
    with pytest.raises(ValueError, match="not JSON compliant"):
        client.runs.create({"steps": float("nan")})
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        client.runs.create({"steps": object()})


def test_a_question_is_asked_and_its_answer_awaited(stub, client):
    flow = {"id": "flow-1", "object": "agent_flow", "status": "running", "answer": None, "failure": None}
    stub.says(flow, stub.events(1, type="flow.completed"), flow | {"status": "completed", "answer": "936"})
    assert client.solve("What is 347 plus 589?", policy="run-1@2", seed=None, progress=False).answer == "936"
    assert stub.received[0].json() == {"question": "What is 347 plus 589?", "policy": "run-1@2"}


def test_an_evaluation_is_awaited_until_its_report_is_there(stub, client):
    evaluation = {"id": "eval-1", "object": "benchmark_evaluation", "status": "queued", "flows": 0, "report": None}
    stub.says(evaluation, evaluation | {"status": "completed", "report": {"cells": []}})
    assert client.evaluate({"model": "m"}, progress=False).report == {"cells": []}


def test_steps_are_a_data_frame_with_a_column_for_each_metric(stub, client, run):
    step = {"step": 1, "metrics": {"loss": 0.5, "step": 7}, "answers": None, "created_at": "2026-01-02T03:04:05Z"}
    other = {"step": 2, "metrics": {"loss": 0.25}, "answers": None, "created_at": "2026-01-02T03:04:05.678Z"}
    stub.says(run, stub.page(step, other))
    frame = client.runs.get("run-1").steps.to_pandas()
    assert list(frame["loss"]) == [0.5, 0.25]
    assert list(frame["step"]) == [1, 2]
    assert frame["metrics.step"][0] == 7
    assert str(frame["created_at"].dt.tz) == "UTC"


def test_an_empty_list_and_times_that_are_not_there_are_frames(stub, client, run):
    stub.says(run, stub.page(), stub.page({"step": 1, "removed_at": None}))
    handle = client.runs.get("run-1")
    assert len(handle.steps.to_pandas()) == 0
    assert handle.checkpoints.to_pandas()["removed_at"].isna().all()


def test_asynchronous_lists(stub, run):
    async def read():
        async with AsyncClient(stub.url, "k") as client:
            names = [found.name async for found in client.runs.list()]
            return names, await client.rollouts.list(run_id="run-1").to_pandas()

    stub.says(stub.page(run), stub.page({"reward": 1}))
    names, frame = asyncio.run(read())
    assert names == ["small"]
    assert list(frame["reward"]) == [1]


def test_every_request_is_a_route_of_the_description_with_parameters_that_it_has(stub, client, run):
    """What the API no longer has, or names otherwise, is found here."""
    description = json.loads((ROOT / "docs/openapi.json").read_text())
    stub.otherwise = lambda received: stub.json(run | stub.page() | {"report": None, "flows": 0})
    drive(client)
    unknown = [received for received in stub.received if not is_described(description, received)]
    assert [f"{received.method} {received.path}" for received in unknown] == []
    assert len(stub.received) > 30


def drive(client):
    for submissions in (client.runs, client.flows, client.evaluations):
        submissions.list().to_list()
        one = submissions.get("x-1")
        one.refresh()
        one.cancel()
        one.resume()
        one.revive()
        one.delete()
    client.runs.create({})
    client.flows.create("question", policy="p")
    client.evaluations.create({})
    run = client.runs.get("run-1")
    run.pause(now=True)
    run.stop()
    run.extend(3)
    run.fork(step=1, overrides={"steps": 4})
    run.set_learning_rate(1e-4)
    run.progress()
    for pages in (
        run.steps,
        run.checkpoints,
        run.evaluations,
        run.rollouts(step=1, sort="-reward"),
        run.groups(),
        run.policies(),
    ):
        pages.to_list()
    client.rollouts.get("run-1/1/0/0")
    client.datasets.upload([{}], name="d", question="q", answer=["a"], id="i", family="f", choices=["c"], held_out=1)
    client.datasets.list().to_list()
    dataset = client.datasets.get("d")
    dataset.refresh()
    dataset.rows(after=1).to_list()
    dataset.delete()
    client.evaluations.get("eval-1").answers(grade="wrong").to_list()


def is_described(description, received):
    url = urlsplit(received.path)
    parts = url.path.split("/")
    for path, methods in description["paths"].items():
        described = path.split("/")
        same = len(parts) == len(described) and all(
            ours == theirs or theirs.startswith("{") for ours, theirs in zip(parts, described, strict=True)
        )
        route = methods.get(received.method.lower())
        if same and route is not None:
            known = {parameter["name"] for parameter in route.get("parameters", []) if parameter["in"] == "query"}
            return set(parse_qs(url.query)) <= known
    return False
