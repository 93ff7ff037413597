"""A fork copies its parent's policy, and depends on nothing of the parent afterwards."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from flow_grpo import artifacts
from flow_grpo.base_model import base_model_identity
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import read_policy
from flow_grpo.trainer.contract import ForkPart, InitPolicyRequest, InitPolicyResult, parse_request
from flow_grpo.trainer.fork import OWN_PARTS, PART_OF
from tests.directories import load_directory
from tests.models import copy_with_other_tokenizer, copy_with_other_weights, save_small_model
from tests.trainer.kills import KillAfter, Killed
from tests.trainer.run import RUN_ID, Run, no_progress
from tests.trainer.samples import IDENTITY, LORA, MODEL

REPOSITORY = Path(__file__).parents[4]
FORK_ID = "fork-1"
PARENT_STEPS = 6
STEP = 5


@pytest.fixture
def parent(run: Run) -> Run:
    """A run of six steps, of which the newest three checkpoints stand."""
    run.train(run.trainer(), PARENT_STEPS)
    return run


@pytest.fixture
def fork(parent: Run, tmp_path: Path, database_url: str, models_cache: Path) -> Run:
    """A run in the same store, of which nothing has happened."""
    return Run(tmp_path, database_url, models_cache, FORK_ID)


def request(
    parent: Run, step: int = STEP, optimizer: bool = False, allow: Sequence[str] = ("dataset",), **changes: Any
) -> InitPolicyRequest:
    policy = {"name": f"{RUN_ID}@{step}", "sha256": parent.policies[step]}
    start = {"policy": policy, "optimizer": optimizer, "allow": allow}
    identity = {**IDENTITY, "dataset": "another", "seed": "9"}
    values = {
        "run_id": FORK_ID,
        "model": "tiny-random",
        "seed": 9,
        "weights": LORA,
        "dtype": "float32",
        "identity": identity,
        "start": start,
    }
    return InitPolicyRequest.model_validate({**values, **changes})


def begin(fork: Run, parent: Run, **options: Any) -> InitPolicyResult:
    result = fork.trainer().init_policy(request(parent, **options), no_progress)
    fork.policies[0] = result.policy.sha256
    return result


def remove(parent: Run) -> None:
    """Files and rows: as if the parent had never been."""
    shutil.rmtree(parent.directory)
    for table in ("policies", "checkpoints", "batches"):
        parent.execute(f"DELETE FROM {table} WHERE run_id = '{RUN_ID}'")


def take(fork: Run, step: int, save: bool = True) -> str:
    """A step of the fork by a trainer that has just started. Returns how it came by the state."""
    identity = {**IDENTITY, "dataset": "another", "seed": "9"}
    batch = fork.freeze(step, identity=identity)
    result = fork.trainer().train_step(fork.request(step, batch, save, identity=identity), no_progress)
    fork.policies[step] = result.policy.sha256
    return result.recovered_from


def refusal(fork: Run, parent: Run, **options: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        begin(fork, parent, **options)
    assert not (fork.directory / "policies").exists()
    return caught.value


def test_policy_zero_of_a_fork_is_its_parents_policy_with_a_fresh_optimiser(fork: Run, parent: Run) -> None:
    result = begin(fork, parent)
    assert (result.policy.name, result.policy.sha256) == (f"{FORK_ID}@0", parent.policies[STEP])
    manifest, files = load_directory(artifacts.uri_path(result.uri))
    noted = {"policy_name": f"{RUN_ID}@{STEP}", "policy_sha256": parent.policies[STEP], "optimizer": False}
    assert manifest["forked_from"] == {**noted, "allowed": ["dataset"]}
    assert (manifest["parent_sha256"], manifest["run_id"]) == (None, FORK_ID)
    assert not {"optimizer.safetensors", "optimizer.state"} & files.keys()
    assert fork.optimiser_bytes(0) == parent.optimiser_bytes(0)


def test_the_optimiser_is_carried_over_when_asked_for(fork: Run, parent: Run) -> None:
    begin(fork, parent, optimizer=True)
    assert fork.optimiser_bytes(0) == parent.optimiser_bytes(STEP) != parent.optimiser_bytes(0)


@pytest.mark.parametrize("optimizer", [False, True])
def test_without_its_parent_a_fork_trains_on_and_replays_from_nothing(fork: Run, parent: Run, optimizer: bool) -> None:
    first = begin(fork, parent, optimizer=optimizer)
    remove(parent)
    assert begin(fork, parent, optimizer=optimizer) == first
    for step in (1, 2, 3):
        take(fork, step)
    undisturbed = fork.optimiser_bytes(3)
    fork.execute(f"DELETE FROM policies WHERE run_id = '{FORK_ID}' AND step = 3")
    shutil.rmtree(fork.directory / "checkpoints")
    shutil.rmtree(fork.directory / "policies" / "000003")
    sha256 = fork.policies[3]
    assert take(fork, 3) == "replay"
    assert (fork.policies[3], fork.optimiser_bytes(3)) == (sha256, undisturbed)


def test_a_kill_anywhere_in_the_beginning_changes_nothing(fork: Run, parent: Run) -> None:
    trainer = fork.trainer()
    for calls in range(1, 20):
        try:
            result = trainer.init_policy(request(parent, optimizer=True), KillAfter(calls))
            break
        except Killed:
            continue
    else:
        pytest.fail("never finished")
    assert calls > 2
    assert result.policy.sha256 == parent.policies[STEP]
    assert fork.optimiser_bytes(0) == parent.optimiser_bytes(STEP)


def test_a_policy_that_was_collected_is_refused_with_those_that_stand(fork: Run, parent: Run) -> None:
    failure = refusal(fork, parent, step=2)
    assert failure.type is FailureType.NotFound
    assert "run-1@2 was collected" in str(failure)
    assert "of steps 0, 4, 5, 6" in str(failure)


def test_an_optimiser_without_checkpoint_is_refused_with_the_checkpoints_that_stand(fork: Run, parent: Run) -> None:
    shutil.rmtree(parent.directory / "checkpoints" / f"{STEP:06d}")
    failure = refusal(fork, parent, optimizer=True)
    assert failure.type is FailureType.NotFound
    assert "no checkpoint of that step" in str(failure)
    assert "of steps 0, 4, 6" in str(failure)
    begin(fork, parent, optimizer=False)


def test_a_lost_parent_is_retried(fork: Run, parent: Run) -> None:
    away = parent.directory.rename(parent.directory.with_name("away"))
    with pytest.raises(artifacts.ArtifactMissing):
        begin(fork, parent)
    away.rename(parent.directory)
    begin(fork, parent)


def test_another_adapter_shape_is_refused(fork: Run, parent: Run) -> None:
    failure = refusal(fork, parent, weights={**LORA, "rank": 8})
    assert (failure.type, failure.details) == (FailureType.WrongIdentity, {"differs": ["weights"]})


def register(run: Run, directory: Path, name: str = MODEL) -> None:
    """Let the trainers of a run have a model of the operator's, and a cache of their own for it."""
    run.operator_file.write_text(f"models: {{ {name}: {{ source: {{ directory: {directory} }}, context: 256 }} }}")
    run.models_cache = run.root.parent / "cache"


def other_weights(fork: Run, tiny_model: Path) -> dict[str, Any]:
    """A deployment that registered another model under the name."""
    register(fork, copy_with_other_weights(tiny_model, fork.root.parent / "other"))
    return {}


def other_tokenizer(fork: Run, tiny_model: Path) -> dict[str, Any]:
    """A deployment with another chat template."""
    register(fork, copy_with_other_tokenizer(tiny_model, fork.root.parent / "other"))
    return {}


def another_name(fork: Run, tiny_model: Path) -> dict[str, Any]:
    """The same model, registered anew."""
    register(fork, tiny_model, "renamed")
    return {"model": "renamed"}


def other_prompts(_fork: Run, _tiny_model: Path) -> dict[str, Any]:
    """Of the run's identity."""
    return {"identity": {**IDENTITY, "planner_prompt": "another"}}


def other_dataset(_fork: Run, _tiny_model: Path) -> dict[str, Any]:
    """The same."""
    return {"identity": {**IDENTITY, "dataset": "another", "dataset_texts": "another"}}


DIFFERENCES: list[tuple[ForkPart, Callable[[Run, Path], dict[str, Any]], list[str]]] = [
    ("base-model", other_weights, ["base model weights"]),
    ("base-model", another_name, ["base model"]),
    ("tokenizer", other_tokenizer, ["tokenizer"]),
    ("prompts", other_prompts, ["planner_prompt"]),
    ("dataset", other_dataset, ["dataset", "dataset_texts"]),
]


@pytest.mark.parametrize(("part", "differ", "names"), DIFFERENCES)
def test_what_differs_is_refused_unless_it_is_named(
    fork: Run, parent: Run, tiny_model: Path, part: ForkPart, differ: Any, names: list[str]
) -> None:
    """I8. The refusal says how to start all the same."""
    given = {"identity": IDENTITY, **differ(fork, tiny_model)}
    others = [known for known in get_args(ForkPart) if known != part]
    failure = refusal(fork, parent, allow=others, **given)
    assert (failure.type, failure.details) == (FailureType.WrongIdentity, {"differs": names})
    assert all(f"{name}: " in str(failure) for name in names)
    assert f"name what differs: --allow {part} beside --from, or `from.allow: [{part}]`" in str(failure)
    result = begin(fork, parent, allow=[part], **given)
    assert result.policy.sha256 == parent.policies[STEP]


def test_all_that_differs_is_named_at_once_and_no_model_is_loaded_for_it(
    fork: Run, parent: Run, tiny_model: Path
) -> None:
    other_weights(fork, tiny_model)
    phases: list[str] = []
    given = request(parent, allow=[], identity={**IDENTITY, "planner_prompt": "another", "seed": "9"})
    with pytest.raises(Failure, match="--allow base-model,prompts beside") as caught:
        fork.trainer().init_policy(given, lambda phase, _done, _total: phases.append(phase))
    assert caught.value.details == {"differs": ["base model weights", "planner_prompt"]}
    assert "load model" not in phases


@pytest.mark.parametrize("weights", [LORA, {"kind": "full"}])
def test_a_fork_on_another_base_model_belongs_to_that_and_trains_on(
    run: Run, tmp_path: Path, database_url: str, models_cache: Path, tiny_model: Path, weights: dict[str, Any]
) -> None:
    run.weights = weights
    run.train(run.trainer(), 1)
    fork = Run(tmp_path, database_url, models_cache, FORK_ID)
    fork.weights = weights
    register(fork, copy_with_other_weights(tiny_model, tmp_path / "other"), "other")
    given = request(run, 1, allow=["base-model"], model="other", weights=weights, identity=IDENTITY)
    fork.policies[0] = fork.trainer().init_policy(given, no_progress).policy.sha256
    assert fork.policies[0] == run.policies[1]
    assert read_policy(fork.directory / "policies" / "000000").base_model == "other"
    manifest = json.loads((fork.directory / "policies" / "000000" / "manifest.json").read_text())
    assert manifest["forked_from"]["allowed"] == ["base-model"]
    batch = fork.freeze(1, model="other")
    result = fork.trainer().train_step(fork.request(1, batch, model="other"), no_progress)
    assert result.policy.sha256 not in (fork.policies[0], run.policies[1])


def test_a_base_model_of_another_shape_is_refused_although_it_is_allowed(fork: Run, parent: Run) -> None:
    register(fork, save_small_model("llama", fork.root.parent / "llama"))
    failure = refusal(fork, parent, allow=["base-model", "tokenizer", "dataset"])
    assert failure.type is FailureType.WrongIdentity
    assert re.search(r"the policy does not fit tiny-random .*: 28 tensors differ", str(failure))


def test_an_unknown_part_of_the_identity_may_not_differ(fork: Run, parent: Run) -> None:
    differing = {**IDENTITY, "dataset": "another", "prompt": "another"}
    for allow in [], get_args(ForkPart):
        failure = refusal(fork, parent, identity=differing, allow=allow)
        assert failure.type is FailureType.WrongIdentity
        assert "prompt" in failure.details["differs"]
        assert "--allow" not in str(failure)


def test_a_part_that_cannot_be_allowed_is_a_bad_configuration_that_names_the_known_ones(parent: Run) -> None:
    payload = request(parent).model_dump()
    payload["start"]["allow"] = ["weights"]
    with pytest.raises(
        Failure, match=r"start\.allow\.0: .*'base-model', 'tokenizer', 'prompts' or 'dataset'"
    ) as caught:
        parse_request(InitPolicyRequest, payload)
    assert caught.value.type is FailureType.BadConfiguration


def test_the_parts_that_can_be_allowed_are_those_of_the_contract() -> None:
    contract = (REPOSITORY / "contracts" / "identity.ts").read_text()
    listed = re.search(r"FORK_PART_NAMES = \[(.*?)\]", contract)
    assert listed
    assert re.findall(r"'([^']+)'", listed[1]) == list(get_args(ForkPart))


def test_every_part_of_an_identity_is_a_forks_own_or_can_be_allowed(tiny_model: Path) -> None:
    source = (REPOSITORY / "activities" / "runs" / "identity.ts").read_text()
    named = re.findall(r"^    (\w+): |^ +(?:if .*)?identity\.(\w+) = ", source, re.MULTILINE)
    parts = {one or other for one, other in named}
    assert {"model", "planner_prompt", "seed", "trajectories"} <= parts
    assert parts | base_model_identity(tiny_model).keys() <= OWN_PARTS | PART_OF.keys()


def test_another_sha256_is_refused(fork: Run, parent: Run) -> None:
    start = {"policy": {"name": f"{RUN_ID}@{STEP}", "sha256": "f" * 64}, "optimizer": False}
    assert refusal(fork, parent, start=start).type is FailureType.WrongIdentity


def test_what_is_not_the_name_of_a_policy_is_refused(fork: Run, parent: Run) -> None:
    start = {"policy": {"name": "../run-1@5", "sha256": "f" * 64}, "optimizer": False}
    assert refusal(fork, parent, start=start).type is FailureType.BadConfiguration
