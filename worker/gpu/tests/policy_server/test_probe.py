"""The probe and the embedded policy server compute the same model by different code."""

from pathlib import Path

import pytest

from flow_grpo.policy_server.engine import Engine
from flow_grpo.policy_server.policies import LoadedPolicy
from flow_grpo.probe import BaseModelProbe
from tests.policy_server.generate import generate, request


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_the_probe_gives_the_logprobs_that_the_server_reports(
    tiny_model: Path, tiny: LoadedPolicy, engine: Engine, temperature: float
) -> None:
    probe = BaseModelProbe(tiny_model)
    prompt = probe.prompt_token_ids([{"role": "user", "content": "What is 3 plus 4?"}])
    generation = generate(engine, tiny, [request(prompt, max_tokens=5, temperature=temperature)])[0]
    expected = probe.token_logprobs(prompt, generation.token_ids, temperature)
    assert generation.logprobs == pytest.approx(expected, abs=1e-4)
