"""The engine: what is shared is computed once, what is dropped is dropped, what fails does not spread."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flow_grpo.policy_server.engine import Engine, EngineStopped
from flow_grpo.policy_server.kernels import PAGE
from flow_grpo.policy_server.policies import LoadedPolicy
from flow_grpo.policy_server.prefix_cache import Node
from flow_grpo.policy_server.sampling import NonFiniteLogits
from flow_grpo.policy_server.weights import DecoderWeights
from tests.policy_server.generate import TIMEOUT_S, bits, generate, request

COMMON = [(13 * i) % 3000 + 10 for i in range(200)]


@pytest.fixture(autouse=True)
def _cold(tiny: LoadedPolicy) -> None:
    tiny.runtime.forget_cache()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.005)


def test_a_common_prefix_in_flight_is_computed_once(engine: Engine, tiny: LoadedPolicy) -> None:
    generate(engine, tiny, [request([*COMMON, 5000 + i, 6], seed=i, max_tokens=1) for i in range(64)])
    assert engine.statistics.prompt_tokens == 64 * 202
    assert engine.statistics.rows == 200 + 2 * 64


def test_identical_prompts_and_identical_answers_are_computed_once(engine: Engine, tiny: LoadedPolicy) -> None:
    answers = generate(engine, tiny, [request(COMMON, seed=9, max_tokens=4)] * 30)
    assert all(bits(answer) == bits(answers[0]) for answer in answers)
    # The last token of an answer is sampled, and never computed.
    assert engine.statistics.rows == 200 + 3
    generate(engine, tiny, [request(COMMON, seed=9, max_tokens=4)])
    assert engine.statistics.rows == 200 + 3


def test_a_branch_that_must_wait_holds_up_nobody_else(
    engine: Engine, tiny: LoadedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    compute, begun, submitted = tiny.runtime.compute, threading.Event(), threading.Event()

    def compute_when_submitted(weights: DecoderWeights, nodes: list[Node]) -> None:
        begun.set()
        submitted.wait(TIMEOUT_S)
        passes.append(len(nodes))
        compute(weights, nodes)

    monkeypatch.setattr(tiny.runtime, "compute", compute_when_submitted)
    futures = [engine.submit(request([1], max_tokens=1), tiny)]
    begun.wait(TIMEOUT_S)
    prompts = [[100 + group] * 40 + [tail] for group in range(4) for tail in range(2)]
    futures += [engine.submit(request(prompt, max_tokens=1), tiny) for prompt in prompts]
    submitted.set()
    for future in futures:
        future.result(TIMEOUT_S)
    # The second of each group parts from the first inside a page.
    assert passes == [1, 4 * 41, 4]


def test_an_end_token_ends_the_answer_and_belongs_to_it(
    engine: Engine, tiny: LoadedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = generate(engine, tiny, [request(COMMON, max_tokens=6)])[0]
    assert (whole.finish_reason, len(whole.token_ids)) == ("length", 6)
    monkeypatch.setattr(tiny.runtime, "end_tokens", frozenset({whole.token_ids[2]}))
    ended = generate(engine, tiny, [request(COMMON, max_tokens=6)])[0]
    assert (ended.finish_reason, ended.token_ids) == ("stop", whole.token_ids[:3])
    assert ended.logprobs == whole.logprobs[:3]


def test_more_requests_than_the_cache_holds(
    engine: Engine, tiny: LoadedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [request([i, *COMMON], seed=i, max_tokens=3) for i in range(40)]
    expected = [bits(one) for one in generate(engine, tiny, batch)]
    monkeypatch.setattr(tiny.runtime, "_pages", 3 * (203 // PAGE + 2))
    tiny.runtime.forget_cache()
    assert [bits(one) for one in generate(engine, tiny, batch)] == expected


def test_a_cancelled_request_stops_and_gives_back_its_pages(engine: Engine, tiny: LoadedPolicy) -> None:
    long = engine.submit(request(COMMON, max_tokens=1500), tiny)
    eventually(lambda: engine.statistics.sampled_tokens > 0)
    assert long.cancel()
    generate(engine, tiny, [request([1, 2, 3])])
    eventually(lambda: tiny.runtime.reserve(tiny.runtime._pages))
    assert engine.statistics.sampled_tokens < 1500


def test_logits_that_are_not_finite_fail_their_request_only(
    engine: Engine, tiny: LoadedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute_logits = tiny.runtime.logits

    def damaged(weights: Any, nodes: list) -> np.ndarray:  # type: ignore[type-arg]
        logits = compute_logits(weights, nodes)
        logits[[node.token == 666 for node in nodes]] = np.nan
        return logits

    monkeypatch.setattr(tiny.runtime, "logits", damaged)
    bad, good = engine.submit(request([5, 666]), tiny), engine.submit(request([5, 6]), tiny)
    with pytest.raises(NonFiniteLogits):
        bad.result(TIMEOUT_S)
    assert len(good.result(TIMEOUT_S).token_ids) == 6
    eventually(lambda: tiny.runtime.reserve(tiny.runtime._pages))


@pytest.mark.parametrize("stage", ["compute", "logits"])
def test_a_failed_pass_is_answered_and_the_engine_goes_on(
    engine: Engine, tiny: LoadedPolicy, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    expected = bits(generate(engine, tiny, [request(COMMON)])[0])
    with monkeypatch.context() as broken:
        broken.setattr(tiny.runtime, stage, lambda *_: 1 // 0)
        futures = [engine.submit(request([*COMMON, i]), tiny) for i in range(3)]
        for future in futures:
            with pytest.raises(ZeroDivisionError):
                future.result(TIMEOUT_S)
    assert bits(generate(engine, tiny, [request(COMMON)])[0]) == expected


def test_closing_answers_what_is_unfinished(engine: Engine, tiny: LoadedPolicy) -> None:
    future = engine.submit(request(COMMON, max_tokens=1800), tiny)
    eventually(lambda: engine.statistics.sampled_tokens > 0)
    engine.close()
    with pytest.raises(EngineStopped):
        future.result(TIMEOUT_S)
    with pytest.raises(EngineStopped):
        engine.submit(replace(request(COMMON)), tiny).result(TIMEOUT_S)
