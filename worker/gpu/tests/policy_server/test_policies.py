"""Policies: exactly the one that was asked for, or none (I11)."""

from pathlib import Path

import pytest

from flow_grpo.base_model import UnknownModel
from flow_grpo.policy import policy_directory
from flow_grpo.policy_server.policies import PolicyNotLoaded, PolicyShaRequired, PolicyStore
from tests.policy_server.adapters import peft_model, write_policy
from tests.policy_server.conftest import TINY

OTHER_SHA256 = "0" * 64


@pytest.fixture(scope="module")
def sha256s(artifacts: Path, tiny_model: Path) -> list[str]:
    """Policies live@0 .. live@3."""
    return [write_policy(artifacts, "live", step, peft_model(tiny_model, seed=step), TINY) for step in range(4)]


def test_a_policy_is_loaded_once(policies: PolicyStore, sha256s: list[str]) -> None:
    first, second = (policies.acquire("live@0", sha256s[0]) for _ in range(2))
    assert first is second
    assert (first.name, first.sha256) == ("live@0", sha256s[0])
    policies.release(first)
    policies.release(second)


def test_another_sha256_is_refused(policies: PolicyStore, sha256s: list[str]) -> None:
    with pytest.raises(PolicyNotLoaded, match=f"has sha256 {sha256s[0]}, not {sha256s[1]}"):
        policies.acquire("live@0", sha256s[1])
    with pytest.raises(PolicyNotLoaded, match="has sha256"):
        policies.acquire(TINY, OTHER_SHA256)


def test_a_policy_of_a_run_needs_its_sha256(policies: PolicyStore) -> None:
    with pytest.raises(PolicyShaRequired):
        policies.acquire("live@0", None)


def test_what_is_not_there_is_refused(policies: PolicyStore) -> None:
    with pytest.raises(PolicyNotLoaded, match=r"no manifest\.json"):
        policies.acquire("live@99", OTHER_SHA256)
    with pytest.raises(UnknownModel, match=f"registered: {TINY}"):
        policies.acquire("../live", None)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_damaged_file_is_refused_by_name(policies: PolicyStore, artifacts: Path, tiny_model: Path, name: str) -> None:
    run = f"damaged-{name}"
    sha256 = write_policy(artifacts, run, 0, peft_model(tiny_model, seed=0), TINY)
    file = policy_directory(artifacts, run, 0) / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(PolicyNotLoaded, match=f"{name} has sha256"):
        policies.acquire(f"{run}@0", sha256)


def test_an_adapter_for_another_shape_is_refused(policies: PolicyStore, artifacts: Path, tiny_model: Path) -> None:
    sha256 = write_policy(artifacts, "foreign", 0, peft_model(tiny_model, seed=0), "smollm2-135m-instruct")
    with pytest.raises(PolicyNotLoaded, match="does not fit model smollm2-135m-instruct"):
        policies.acquire("foreign@0", sha256)


def test_a_kind_of_adapter_that_is_not_computed_is_refused(
    policies: PolicyStore, artifacts: Path, tiny_model: Path
) -> None:
    sha256 = write_policy(artifacts, "dora", 0, peft_model(tiny_model, seed=0), TINY, use_dora=True)
    with pytest.raises(PolicyNotLoaded, match="use_dora"):
        policies.acquire("dora@0", sha256)


def test_the_least_recent_is_dropped_but_never_one_in_use(policies: PolicyStore, sha256s: list[str]) -> None:
    def names() -> set[str]:
        return {policy.name for policy in policies.loaded() if policy.name.startswith("live")}

    held = [policies.acquire(f"live@{step}", sha256s[step]) for step in range(3)]
    assert names() == {"live@0", "live@1", "live@2"}
    policies.release(held[1])
    assert names() == {"live@0", "live@2"}
    last = policies.acquire("live@3", sha256s[3])
    assert names() == {"live@0", "live@2", "live@3"}
    for policy in (held[0], held[2], last):
        policies.release(policy)
    assert len(names()) == 2
