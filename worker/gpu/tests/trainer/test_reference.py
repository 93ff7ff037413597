"""The KL term against a named policy: one that computes as the run's own, or a refusal before anything is sampled."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from flow_grpo.failures import Failure, FailureType
from tests.models import copy_with_other_tokenizer, copy_with_other_weights
from tests.trainer.run import RUN_ID, Run, no_progress
from tests.trainer.samples import LORA, kl, training

REFERENCE = {"kl": kl(0.1, reference=f"{RUN_ID}@1")}


@pytest.fixture
def teacher(run: Run) -> Run:
    """A run of two steps."""
    run.train(run.trainer(), 2)
    return run


@pytest.fixture
def student(teacher: Run, tmp_path: Path, database_url: str, models_cache: Path) -> Run:
    """A run in the same store whose KL term is against policy 1 of the teacher."""
    return Run(tmp_path, database_url, models_cache, "student")


def named(teacher: Run, step: int = 1) -> dict[str, str]:
    return {"name": f"{RUN_ID}@{step}", "sha256": teacher.policies[step]}


def begin(student: Run, teacher: Run, **changes: Any) -> None:
    """initPolicy with the reference."""
    given = {**student.init_request().model_dump(), "reference": named(teacher), **changes}
    request = type(student.init_request()).model_validate(given)
    student.policies[0] = student.trainer().init_policy(request, no_progress).policy.sha256


def refusal(student: Run, teacher: Run, **changes: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        begin(student, teacher, **changes)
    assert not (student.directory / "policies").exists()
    return caught.value


def freeze(student: Run, teacher: Run, **hyper: Any) -> dict[str, str]:
    options = training(weights=student.weights, **REFERENCE, **hyper)
    return student.freeze(1, training=options.model_dump(), reference=named(teacher))


def register(run: Run, directory: Path) -> None:
    run.operator_file.write_text(f"models: {{ tiny-random: {{ source: {{ directory: {directory} }}, context: 256 }} }}")
    run.models_cache = run.root.parent / "cache"


def test_a_policy_of_the_same_shape_is_taken(student: Run, teacher: Run) -> None:
    begin(student, teacher)
    batch = freeze(student, teacher)
    metrics = student.trainer().train_step(student.request(1, batch), no_progress).metrics
    # Against the base, policy 0 diverges in nothing.
    assert metrics["kl"] > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rank": 8}, "weights.rank: 4 there, 8 here"),
        ({"alpha": 16.0}, "weights.alpha: 8.0 there, 16.0 here"),
        ({"targets": ["q_proj"]}, "weights.targets: "),
    ],
)
def test_another_adapter_is_refused_before_anything_is_sampled(
    student: Run, teacher: Run, change: dict[str, Any], told: str
) -> None:
    """Of another scale it would fit, and be another policy than its name says."""
    failure = refusal(student, teacher, weights={**LORA, **change})
    assert (failure.type, failure.details) == (
        FailureType.WrongIdentity,
        {"differs": [f"weights.{next(iter(change))}"]},
    )
    assert f"{RUN_ID}@1, the reference of the KL term," in str(failure)
    assert told in str(failure)


def test_a_whole_model_is_no_reference_of_an_adapter(student: Run, teacher: Run) -> None:
    failure = refusal(student, teacher, weights={"kind": "full"})
    assert failure.type is FailureType.WrongIdentity
    assert "weights.kind" in failure.details["differs"]


def test_another_base_model_is_refused_before_anything_is_sampled(
    student: Run, teacher: Run, tiny_model: Path, tmp_path: Path
) -> None:
    register(student, copy_with_other_weights(tiny_model, tmp_path / "other"))
    failure = refusal(student, teacher)
    assert (failure.type, failure.details) == (FailureType.WrongIdentity, {"differs": ["base model weights"]})


def test_a_tokenizer_has_no_part_in_what_a_policy_computes_from_tokens(
    student: Run, teacher: Run, tiny_model: Path, tmp_path: Path
) -> None:
    register(student, copy_with_other_tokenizer(tiny_model, tmp_path / "other"))
    begin(student, teacher)


def test_a_step_refuses_it_too(student: Run, teacher: Run) -> None:
    """I4: a batch is taken as it is, whoever froze it."""
    student.weights = {**LORA, "alpha": 16.0}
    student.init(student.trainer())
    request = student.request(1, freeze(student, teacher))
    with pytest.raises(Failure, match=r"weights\.alpha") as caught:
        student.trainer().train_step(request, no_progress)
    assert caught.value.type is FailureType.WrongIdentity


def test_one_that_was_collected_is_refused_with_those_that_stand(student: Run, teacher: Run) -> None:
    shutil.rmtree(teacher.directory / "policies" / "000001")
    failure = refusal(student, teacher)
    assert failure.type is FailureType.NotFound
    assert f"{RUN_ID}@1 was collected; those of {RUN_ID} that stand are of steps 0, 2" in str(failure)
