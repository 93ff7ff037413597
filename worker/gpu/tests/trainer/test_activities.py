"""The activities as Temporal sees them: payloads, heartbeats, failure types, no secrets."""

import logging
import sys
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment

from flow_grpo.environment import BadEnvironment
from flow_grpo.trainer.activities import TrainerActivities
from flow_grpo.trainer.one_line import OneLineFormatter
from flow_grpo.trainer.records import Records
from flow_grpo.trainer.redaction import secrets_of
from flow_grpo.trainer.settings import read_settings
from flow_grpo.trainer.trainer import Stores, Trainer
from tests.trainer.run import RUN_ID, WORKER, Run
from tests.trainer.samples import IDENTITY, LORA, MODEL

INIT = {"run_id": RUN_ID, "model": MODEL, "seed": 3, "weights": LORA, "dtype": "float32", "identity": IDENTITY}


def test_a_run_through_the_activities(run: Run) -> None:
    activities, environment, beats = TrainerActivities(run.trainer(), ()), ActivityEnvironment(), list[Any]()
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    start = environment.run(activities.init_policy, INIT)
    assert start["policy"]["name"] == f"{RUN_ID}@0"
    run.policies[0] = start["policy"]["sha256"]
    result = environment.run(activities.train_step, run.request(1, run.freeze(1)).model_dump())
    assert result["policy"]["name"] == f"{RUN_ID}@1"
    assert result["recovered_from"] == "memory"
    assert (start["worker"], result["worker"]) == (WORKER, WORKER)
    assert result["uri"].startswith("file://")
    phases = [beat["phase"] for beat in beats]
    assert [p for i, p in enumerate(phases) if i == 0 or phases[i - 1] != p] == [
        "policy 0",
        "load model",
        "write",
        "reference pass",
        "update 1 of 1",
        "optimiser",
        "digest of the policy",
        "write",
        "collect",
    ]
    assert all(isinstance(beat["done"], int) and isinstance(beat["total"], int) for beat in beats)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seed": "x"}, "seed"),
        ({"run_id": "../other"}, "run_id"),
        ({"weights": {"kind": "lora", "rank": 0}}, "weights.lora.rank"),
    ],
)
def test_a_malformed_request_is_final(run: Run, change: dict[str, Any], field: str) -> None:
    activities = TrainerActivities(run.trainer(), ())
    with pytest.raises(ApplicationError, match=field) as caught:
        ActivityEnvironment().run(activities.init_policy, {**INIT, **change})
    assert (caught.value.type, caught.value.non_retryable) == ("BadConfiguration", True)


def test_a_failure_of_the_closed_list_carries_its_type_and_details(run: Run) -> None:
    activities = TrainerActivities(run.trainer(), ())
    run.train(run.trainer(), 1)
    request = run.request(2, run.freeze(2), identity={**IDENTITY, "prompt": "x"})
    with pytest.raises(ApplicationError) as caught:
        ActivityEnvironment().run(activities.train_step, request.model_dump())
    assert (caught.value.type, caught.value.non_retryable) == ("WrongIdentity", True)
    assert caught.value.details == ({"differs": ["prompt"]},)


def test_an_unreachable_database_is_retried_and_its_password_stays_secret(run: Run) -> None:
    url = "postgres://user:sehr-geheim%21@127.0.0.1:1/agentflow"
    stores = Stores(run.root, run.models_cache, run.operator_file, Records(url), 0)
    activities = TrainerActivities(Trainer(stores, WORKER, 1), secrets_of(url))
    run.train(run.trainer(), 1)
    with pytest.raises(ApplicationError, match="OperationalError") as caught:
        ActivityEnvironment().run(activities.train_step, run.request(2, run.freeze(2)).model_dump())
    assert not caught.value.non_retryable
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_cancellation_stays_cancellation(run: Run) -> None:
    activities, environment = TrainerActivities(run.trainer(), ()), ActivityEnvironment()

    def cancel(*_: Any) -> None:
        raise CancelledError("cancelled")

    environment.on_heartbeat = cancel
    with pytest.raises(CancelledError):
        environment.run(activities.init_policy, INIT)


def test_log_records_are_one_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord("x", logging.WARNING, "", 0, "it %s", ("failed",), sys.exc_info())
    line = OneLineFormatter().format(record)
    assert line.endswith("WARNING trainer it failed (ValueError: first | second)")


def test_the_environment_is_read_once_and_every_fault_is_named() -> None:
    good = {"DATABASE_URL": "postgres://u:p@h/d", "AGENTFLOW_ARTIFACTS": "file:///a", "AGENTFLOW_MODELS_CACHE": "/m"}
    settings = read_settings({**good, "UNRELATED": "1"})
    assert str(settings.artifacts) == "/a"
    assert settings.operator_file.name == "operator.yaml"
    assert "postgres" not in repr(settings)
    with pytest.raises(BadEnvironment) as caught:
        read_settings({"AGENTFLOW_ARTIFACTS": "s3://bucket"})
    for name in ("DATABASE_URL", "AGENTFLOW_ARTIFACTS", "AGENTFLOW_MODELS_CACHE"):
        assert name in str(caught.value)
