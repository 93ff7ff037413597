import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pandas
import pytest

from durable_agentflow import AsyncClient, Client, Conflict, InvalidRequest, NotCompleted, NotFound

CONFIGURATION: dict[str, Any] = {
    "name": "from Python",
    "model": "tiny-random",
    "steps": 2,
    "training": {"queries_per_step": 1, "group_size": 2},
    "evaluation": {"questions": 2, "yardsticks": False},
}


def test_a_run_is_submitted_once_followed_over_a_killed_api_and_read_as_a_frame(client: Client):
    run = client.runs.create(CONFIGURATION, idempotency_key="once")
    assert client.runs.create(CONFIGURATION, idempotency_key="once").id == run.id

    told = []
    for event in run.events():
        told.append(event)
        if event["type"] == "step.completed" and event["data"]["step"] == 1:
            os.kill(int(os.environ["API_PID"]), signal.SIGKILL)
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert told[-1]["type"] == "run.completed"

    assert (run.wait(timeout=60).status, run.policy) == ("completed", f"{run.id}@2")
    steps = run.steps.to_pandas()
    assert list(steps["step"]) == [1, 2]
    assert list(steps["loss"].notna()) == [True, True]
    rollouts = run.rollouts(step=1).to_list()
    assert len(rollouts) == 2
    assert client.rollouts.get(rollouts[0]["id"])["turn_records"]
    assert len(run.evaluations.to_list()) == 2
    assert [found.id for found in client.runs.list(limit=1)] == [run.id]


def test_an_answer_and_a_report(client: Client):
    run = next(iter(client.runs.list(limit=1)))
    flow = client.solve("What is 347 plus 589?", policy=run.policy, max_turns=1, timeout=300)
    assert flow.status == "completed"
    assert flow.answer is not None
    assert [found.id for found in client.flows.list(limit=1)] == [flow.id]
    evaluation = client.evaluate(
        {"model": "tiny-random", "policies": ["base", run.policy], "benchmarks": [{"name": "atlas", "questions": 2}]},
        timeout=300,
    )
    assert evaluation.report is not None
    assert len(evaluation.answers().to_list()) == 4


def test_what_the_api_refuses_is_told_with_its_issues(client: Client):
    with pytest.raises(InvalidRequest) as raised:
        client.runs.create("model: tiny-random\nsteps: 0\ncolour: red\n")
    assert {issue["param"] for issue in raised.value.issues} == {"steps", "colour"}
    with pytest.raises(NotFound):
        client.runs.get("run-none")


def test_a_cancelled_run_is_not_completed(client: Client):
    run = client.runs.create(CONFIGURATION | {"steps": 1000})
    run.cancel()
    with pytest.raises(NotCompleted, match="is cancelled"):
        run.wait(timeout=300)
    run.delete()
    with pytest.raises(NotFound):
        run.refresh()


def test_an_uploaded_dataset_is_evaluated_on_and_deleted_with_its_evaluation(client: Client, tmp_path: Path):
    frame = pandas.DataFrame({"Question": ["What is 2 times 12?", "What is 3 times 12?"], "Answer": [24, 36]})
    frame.to_csv(tmp_path / "times.csv", index=False)
    columns: dict[str, Any] = {"question": "Question", "answer": ["Answer"], "answers": "number", "held_out": 2}
    dataset = client.datasets.upload(frame, name="twelves", **columns).wait(timeout=300)
    assert list(dataset.rows().to_pandas()["question"]) == list(frame["Question"])

    async def upload_file() -> list[str]:
        async with AsyncClient() as twin:
            other = await twin.datasets.upload(tmp_path / "times.csv", name="twelves-2", **columns)
            questions = [row["question"] async for row in (await other.wait(timeout=300)).rows()]
            await other.delete()
            return questions

    assert asyncio.run(upload_file()) == list(frame["Question"])

    evaluation = client.evaluate({"model": "tiny-random", "benchmarks": [{"name": "twelves"}]}, timeout=300)
    assert {answer["question"] for answer in evaluation.answers()} == set(frame["Question"])
    with pytest.raises(Conflict, match=evaluation.id):
        dataset.delete()
    evaluation.delete()
    dataset.delete()
    assert "twelves" not in [known.id for known in client.datasets.list()]


def test_a_refused_dataset_is_told_with_its_mistakes(client: Client):
    refused = client.datasets.upload([{"question": "Who?", "answer": "Ada"}, {"question": "When?"}], name="people")
    with pytest.raises(NotCompleted, match="people is refused: record 2, column answer: has no answer"):
        refused.wait(timeout=300)
    refused.delete()


def test_the_asynchronous_twin():
    async def ask() -> str:
        async with AsyncClient() as client:
            return (await client.solve("What is 2 plus 2?", model="tiny-random", max_turns=1, timeout=300)).status

    assert asyncio.run(ask()) == "completed"
