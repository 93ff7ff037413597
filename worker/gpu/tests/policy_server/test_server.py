"""The process: starts by its environment, stops at once, and gives the same bytes after a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.models import save_small_model

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 120
REQUEST = {
    "model": "tiny-random",
    "messages": [{"role": "user", "content": "What is 3 plus 4?"}],
    "max_tokens": 8,
    "seed": "9223372036854775809",
    "metadata": {"flow_id": "run/1/0/0", "turn": 1},
}


@pytest.fixture
def environment(tmp_path: Path, models_cache: Path) -> dict[str, str]:
    operator = tmp_path / "operator.yaml"
    operator.write_text("models: { tiny-random: { source: tiny-random, context: 2048 } }\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",  # as the local stack sets it
        "AGENTFLOW_ARTIFACTS": tmp_path.as_uri(),
        "AGENTFLOW_MODELS_CACHE": str(models_cache),
        "AGENTFLOW_OPERATOR_FILE": str(operator),
        "AGENTFLOW_REQUEST_LOG": str(tmp_path / "requests.jsonl"),
        "AGENTFLOW_POLICY_SERVER_PORT": str(port),
    }


@contextmanager
def server(
    environment: dict[str, str], output: IO[bytes] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "flow_grpo.policy_server"], cwd=ROOT, env=environment, stdout=output, stderr=output
    )
    address = f"http://127.0.0.1:{environment['AGENTFLOW_POLICY_SERVER_PORT']}"
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            wait_until_healthy(process, client)
            yield process, client
    finally:
        process.kill()
        process.wait()


def wait_until_healthy(process: subprocess.Popen[bytes], client: httpx.Client) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended while it started"
        try:
            assert client.get("/health").status_code == 200
            return
        except httpx.ConnectError:
            time.sleep(0.1)
    raise TimeoutError("the server did not become healthy")


def complete(client: httpx.Client) -> dict[str, Any]:
    response = client.post("/v1/chat/completions", json=REQUEST)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_kill_changes_no_byte_and_loses_no_log_line(environment: dict[str, str], tmp_path: Path) -> None:
    with server(environment) as (process, client):
        before = complete(client)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with server(environment) as (process, client):
        assert complete(client) == before
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=START_TIMEOUT_S) == 0
    lines = [json.loads(line) for line in (tmp_path / "requests.jsonl").read_text().splitlines()]
    assert [(line["flow_id"], line["seed"]) for line in lines] == [("run/1/0/0", REQUEST["seed"])] * 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_lines_that_a_full_disk_does_not_take_end_nothing(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, server(environment, full) as (process, client):
        complete(client)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=START_TIMEOUT_S) == 0


def test_a_bad_environment_is_listed_in_full(environment: dict[str, str]) -> None:
    del environment["AGENTFLOW_ARTIFACTS"]
    environment["AGENTFLOW_POLICY_SERVER_PORT"] = "many"
    ended = subprocess.run(
        [sys.executable, "-m", "flow_grpo.policy_server"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "AGENTFLOW_ARTIFACTS" in ended.stderr
    assert "AGENTFLOW_POLICY_SERVER_PORT" in ended.stderr


def test_a_registered_model_that_it_cannot_serve_ends_the_start(environment: dict[str, str], tmp_path: Path) -> None:
    directory = save_small_model("qwen2", tmp_path / "qwen")
    operator = f"models: {{ mine: {{ source: {{ directory: {directory} }}, context: 64 }} }}"
    Path(environment["AGENTFLOW_OPERATOR_FILE"]).write_text(operator)
    ended = subprocess.run(
        [sys.executable, "-m", "flow_grpo.policy_server"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "model_type is llama" in ended.stderr
    assert "docs/vllm.md" in ended.stderr
