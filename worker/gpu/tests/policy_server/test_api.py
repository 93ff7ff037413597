"""The HTTP API: OpenAI's shapes, refusals with a reason, and the request log."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from flow_grpo.policy_server.app import create_app
from flow_grpo.policy_server.engine import Engine
from flow_grpo.policy_server.policies import LoadedPolicy, PolicyStore
from flow_grpo.policy_server.request_log import RequestLog
from flow_grpo.policy_server.service import GenerationService
from tests.policy_server.adapters import peft_model, write_policy
from tests.policy_server.conftest import TINY

Json = dict[str, Any]
MESSAGES = [{"role": "system", "content": "Plan."}, {"role": "user", "content": "What is 3 plus 4?"}]
CHAT = {"model": TINY, "messages": MESSAGES, "max_tokens": 5, "seed": 7, "logprobs": True}
PLAIN = {"model": TINY, "prompt": "What is", "max_tokens": 5, "seed": 7}


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "requests.jsonl"


@pytest.fixture
def app(policies: PolicyStore, engine: Engine, log_path: Path) -> Iterator[FastAPI]:
    log = RequestLog(log_path)
    yield create_app(GenerationService(policies, engine, log), TINY)
    log.close()


def call(app: FastAPI, method: str, path: str, body: Json | str | None = None) -> tuple[int, Json]:
    response = request(app, method, path, body)
    return response.status_code, response.json()


def request(
    app: FastAPI,
    method: str,
    path: str,
    body: Json | str | None = None,
    base: str = "http://127.0.0.1:8460",
    content_type: str = "application/json",
    origin: str | None = None,
) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
            content = json.dumps(body) if isinstance(body, dict) else body
            headers = {"content-type": content_type} | ({} if origin is None else {"origin": origin})
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(send())


def chat(app: FastAPI, **changes: Any) -> tuple[int, Json]:
    return call(app, "POST", "/v1/chat/completions", CHAT | changes)


def plain(app: FastAPI, **changes: Any) -> tuple[int, Json]:
    return call(app, "POST", "/v1/completions", PLAIN | changes)


def test_health_and_models(app: FastAPI, tiny: LoadedPolicy) -> None:
    assert call(app, "GET", "/health") == (200, {"status": "ok", "model": TINY, "model_sha256": tiny.sha256})
    status, body = call(app, "GET", "/v1/models")
    assert (status, body["object"]) == (200, "list")
    assert TINY in [entry["id"] for entry in body["data"]]


def test_what_a_foreign_web_page_can_send_is_refused(app: FastAPI, log_path: Path) -> None:
    assert request(app, "GET", "/health", base="http://localhost:1").status_code == 200
    assert request(app, "POST", "/v1/completions", PLAIN, base="http://rebound.example:8460").status_code == 400
    assert request(app, "POST", "/v1/completions", PLAIN, content_type="text/plain").status_code >= 400
    for origin in ("https://page.example", "null", "http://127.0.0.1:8460", "http://localhost:3000"):
        refused = request(app, "POST", "/v1/completions", PLAIN, origin=origin)
        assert refused.status_code == 403
        assert refused.json()["error"]["message"] == f"a web page ({origin}) may not use this server"
        assert "access-control-allow-origin" not in refused.headers
        assert request(app, "OPTIONS", "/v1/completions", origin=origin).status_code == 403
        assert request(app, "GET", "/v1/models", origin=origin).status_code == 403
    assert not log_path.exists() or log_path.read_text() == ""


def test_chat_answer(app: FastAPI, tiny: LoadedPolicy) -> None:
    status, body = chat(app)
    assert status == 200
    assert (body["object"], body["model"], body["policy_sha256"]) == ("chat.completion", TINY, tiny.sha256)
    tokenizer = tiny.runtime.tokenizer
    text = str(tokenizer.decode(body["prompt_token_ids"]))
    assert text.endswith("What is 3 plus 4?<|im_end|>\n<|im_start|>assistant\n")
    choice = body["choices"][0]
    assert (choice["index"], choice["finish_reason"], len(choice["token_ids"])) == (0, "length", 5)
    assert choice["message"] == {"role": "assistant", "content": tokenizer.decode(choice["token_ids"])}
    assert [entry["logprob"] for entry in choice["logprobs"]["content"]] == choice["token_logprobs"]
    assert all(logprob < 0 for logprob in choice["token_logprobs"])
    prompt = len(body["prompt_token_ids"])
    assert body["usage"] == {"prompt_tokens": prompt, "completion_tokens": 5, "total_tokens": prompt + 5}


def test_completion_answer_for_text_and_for_its_token_ids(app: FastAPI) -> None:
    _, by_text = plain(app, logprobs=True)
    _, by_ids = plain(app, logprobs=True, prompt=by_text["prompt_token_ids"])
    assert by_ids == by_text
    choice = by_text["choices"][0]
    assert choice["text"] == "".join(choice["logprobs"]["tokens"])


def test_the_end_token_is_sampled_but_not_text(
    app: FastAPI, tiny: LoadedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A model of random weights never says the real one: bring it about by asking for its row's logits.
    compute_logits = tiny.runtime.logits
    end = next(iter(tiny.runtime.end_tokens))

    def ending(*arguments: Any) -> Any:
        logits = compute_logits(*arguments)
        logits[:, end] = 100
        return logits

    monkeypatch.setattr(tiny.runtime, "logits", ending)
    choice = plain(app)[1]["choices"][0]
    assert (choice["finish_reason"], choice["token_ids"], choice["text"]) == ("stop", [end], "")


def test_seeds_have_64_bits_and_come_as_numbers_or_text(app: FastAPI) -> None:
    largest = 2**64 - 1
    assert plain(app, seed=largest) == plain(app, seed=str(largest))
    assert plain(app, seed=largest)[1]["choices"] != plain(app, seed=largest - 1)[1]["choices"]
    assert plain(app, seed=None)[0] == 400


def test_a_policy_is_named_and_echoed(app: FastAPI, artifacts: Path, tiny_model: Path) -> None:
    sha256 = write_policy(artifacts, "api", 3, peft_model(tiny_model, seed=3), TINY)
    status, body = chat(app, model="api@3", policy_sha256=sha256)
    assert (status, body["model"], body["policy_sha256"]) == (200, "api@3", sha256)
    assert body["choices"][0]["token_logprobs"] != chat(app)[1]["choices"][0]["token_logprobs"]


NEUTRAL = {"top_p": 1, "top_k": -1, "n": 1, "stream": False, "presence_penalty": 0.0, "stop": None, "user": "me"}


def test_neutral_parameters_change_nothing(app: FastAPI) -> None:
    assert chat(app, **NEUTRAL) == chat(app)


@pytest.mark.parametrize(
    ("changes", "status", "code", "param"),
    [
        ({"top_p": 0.9}, 400, "invalid_value", None),
        ({"top_k": 40}, 400, "invalid_value", None),
        ({"repetition_penalty": 1.1}, 400, "invalid_value", None),
        ({"frequency_penalty": 0.5}, 400, "invalid_value", None),
        ({"n": 2}, 400, "invalid_value", None),
        ({"stream": True}, 400, "invalid_value", None),
        ({"stop": ["\n"]}, 400, "invalid_value", None),
        ({"beam_width": 4}, 400, "invalid_value", "beam_width"),
        ({"temperature": -0.1}, 400, "invalid_value", "temperature"),
        ({"max_tokens": 0}, 400, "invalid_value", "max_tokens"),
        ({"seed": 2**64}, 400, "invalid_value", "seed"),
        ({"seed": "12x"}, 400, "invalid_value", "seed"),
        ({"seed": 1.5}, 400, "invalid_value", "seed"),
        ({"policy_sha256": "abc"}, 400, "invalid_value", "policy_sha256"),
        ({"prompt": []}, 400, "invalid_value", "prompt"),
        ({"prompt": [49152]}, 400, "invalid_value", "prompt"),
        ({"prompt": [1] * 2044}, 400, "context_length_exceeded", "max_tokens"),
        ({"model": "run@1"}, 400, "policy_sha256_required", "policy_sha256"),
        ({"model": "run@1", "policy_sha256": "0" * 64}, 409, "policy_not_loaded", "model"),
        ({"policy_sha256": "0" * 64}, 409, "policy_not_loaded", "model"),
        ({"model": "gpt-4"}, 404, "model_not_found", "model"),
    ],
)
def test_what_cannot_be_honoured_is_refused_and_not_logged(
    app: FastAPI, log_path: Path, changes: Json, status: int, code: str, param: str | None
) -> None:
    answered, body = plain(app, **changes)
    error = body["error"]
    assert (answered, error["type"], error["code"], error["param"]) == (status, "invalid_request_error", code, param)
    assert error["message"]
    assert log_path.read_text() == ""


def test_the_whole_context_can_be_used(app: FastAPI) -> None:
    status, body = plain(app, prompt=[1] * 2043)
    assert (status, body["usage"]["total_tokens"]) == (200, 2048)


def test_bodies_and_paths_that_are_wrong_are_error_objects(app: FastAPI) -> None:
    status, body = call(app, "POST", "/v1/completions", "{")
    assert (status, body["error"]["code"]) == (400, "invalid_json")
    status, body = call(app, "GET", "/v1/nothing")
    assert (status, body["error"]["message"]) == (404, "GET /v1/nothing: Not Found")


def test_request_log(app: FastAPI, tiny: LoadedPolicy, log_path: Path) -> None:
    _, body = chat(app, seed=str(2**64 - 1), metadata={"flow_id": "run/1/0/2", "turn": 1})
    plain(app)
    first, second = (json.loads(line) for line in log_path.read_text().splitlines())
    assert first.pop("time") < second.pop("time")
    assert first == {
        "model": TINY,
        "policy_sha256": tiny.sha256,
        "flow_id": "run/1/0/2",
        "turn": 1,
        "seed": str(2**64 - 1),
        "prompt_tokens": len(body["prompt_token_ids"]),
    }
    assert (second["flow_id"], second["turn"], second["seed"]) == (None, None, "7")


async def post_and_leave(app: FastAPI, body: Json, leave: Callable[[], bool]) -> None:
    """Post a request over bare ASGI, and close the connection once `leave` says so."""

    async def messages() -> AsyncIterator[Json]:
        yield {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}
        while not leave():
            await asyncio.sleep(0.005)
        yield {"type": "http.disconnect"}

    stream = messages()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/completions",
        "headers": [(b"content-type", b"application/json")],
        "query_string": b"",
    }

    async def send(_message: Any) -> None:
        pass

    await app(scope, stream.__anext__, send)


def test_a_client_that_goes_drops_its_row(app: FastAPI, engine: Engine, tiny: LoadedPolicy) -> None:
    tiny.runtime.forget_cache()
    leases = tiny.leases
    body = PLAIN | {"max_tokens": 2000}
    asyncio.run(asyncio.wait_for(post_and_leave(app, body, lambda: engine.statistics.sampled_tokens > 0), 60))
    plain(app)
    assert engine.statistics.sampled_tokens < 2000
    assert tiny.leases == leases
