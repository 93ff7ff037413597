"""A request's tokens and log-probabilities are the same bits whatever shares its batch (I5). No tolerance."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow_grpo.policy_server.engine import Engine, GenerationRequest
from flow_grpo.policy_server.policies import LoadedPolicy, PolicyStore
from tests.policy_server.adapters import peft_model, write_policy
from tests.policy_server.conftest import SMOLLM2, TINY
from tests.policy_server.generate import bits, generate, generate_alone, request

COMMON = [(37 * i) % 4000 + 10 for i in range(120)]

# Prompts share beginnings of every length, or nothing, and end in something of their own.
prompts = st.builds(
    lambda shared, tail: (COMMON[:shared] + tail) or [1],
    st.integers(0, len(COMMON)),
    st.lists(st.integers(0, 49151), max_size=40),
)
requests = st.builds(
    GenerationRequest,
    prompt=prompts,
    max_tokens=st.integers(1, 8),
    temperature=st.sampled_from([0.0, 1.0, 1.0, 0.5]),
    seed=st.integers(0, 2**64 - 1),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests, min_size=1, max_size=24))
def test_alone_in_company_cold_and_warm(engine: Engine, tiny: LoadedPolicy, batch: list[GenerationRequest]) -> None:
    alone = [bits(generate_alone(engine, tiny, one)) for one in batch]
    tiny.runtime.forget_cache()
    assert [bits(one) for one in generate(engine, tiny, batch)] == alone
    assert [bits(one) for one in generate(engine, tiny, batch[::-1])] == alone[::-1]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 33, 64, 100])
def test_every_batch_size(engine: Engine, tiny: LoadedPolicy, count: int) -> None:
    batch = [request([*COMMON[: 40 + i % 50], i], seed=i) for i in range(count)]
    first = bits(generate_alone(engine, tiny, batch[0]))
    last = bits(generate_alone(engine, tiny, batch[-1]))
    tiny.runtime.forget_cache()
    together = generate(engine, tiny, batch)
    assert (bits(together[0]), bits(together[-1])) == (first, last)


def test_two_policies_at_once(engine: Engine, policies: PolicyStore, artifacts: Path, tiny_model: Path) -> None:
    sha256 = write_policy(artifacts, "company", 0, peft_model(tiny_model, seed=2), TINY)
    adapted, base = policies.acquire("company@0", sha256), policies.base(TINY)
    batch = [request([*COMMON, i], seed=i) for i in range(10)]
    alone = [bits(generate_alone(engine, policy, one)) for one in batch for policy in (adapted, base)]
    base.runtime.forget_cache()
    futures = [engine.submit(one, policy) for one in batch for policy in (adapted, base)]
    assert [bits(future.result(60)) for future in futures] == alone
    assert alone[0] != alone[1]
    policies.release(adapted)


def test_smollm2(engine: Engine, policies: PolicyStore) -> None:
    policy = policies.base(SMOLLM2)
    batch = [request([*COMMON[: 60 + 9 * i], 5 + i % 3], seed=i % 2, temperature=float(i % 3 > 0)) for i in range(7)]
    alone = [bits(generate_alone(engine, policy, one)) for one in batch]
    policy.runtime.forget_cache()
    assert [bits(one) for one in generate(engine, policy, batch)] == alone
    assert [bits(one) for one in generate(engine, policy, batch[::-1])] == alone[::-1]


RESTARTED = """
import json, sys
from flow_grpo.torch_environment import prepare_torch_environment
prepare_torch_environment()
import os
from pathlib import Path
import torch
from flow_grpo.base_model import RegisteredModel
from flow_grpo.policy_server.engine import Engine, GenerationRequest
from flow_grpo.policy_server.policies import PolicyStore
from flow_grpo.policy_server.row_threads import RowThreads
threads = int(os.environ["OMP_NUM_THREADS"])
torch.set_num_threads(threads)
models = {"m": RegisteredModel("m", sys.argv[2], 2048)}
policy = PolicyStore(models, Path("/"), Path(sys.argv[1]), 2**26, 1, RowThreads(threads)).base("m")
engine = Engine(threads)
futures = [engine.submit(GenerationRequest(**one), policy) for one in json.load(sys.stdin)]
done = [future.result() for future in futures]
engine.close()
print(json.dumps([[one.token_ids, [logprob.hex() for logprob in one.logprobs]] for one in done]))
"""


@pytest.mark.parametrize(("name", "count"), [(TINY, 20), (SMOLLM2, 3)])
def test_after_a_restart(engine: Engine, policies: PolicyStore, models_cache: Path, name: str, count: int) -> None:
    policy = policies.base(name)
    batch = [request([*COMMON[: 50 + i], 9], seed=i, temperature=float(i % 2)) for i in range(count)]
    policy.runtime.forget_cache()
    before = [bits(one) for one in generate(engine, policy, batch)]
    after = subprocess.run(
        [sys.executable, "-c", RESTARTED, str(models_cache), policy.runtime.model.source],
        input=json.dumps([vars(one) for one in reversed(batch)]),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(after.stdout)[::-1] == [[one.token_ids, one.logprobs] for one in before]
