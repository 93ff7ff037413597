"""A step whose samples come from another policy than its batch says is refused before anything is written."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from flow_grpo.environment import BadEnvironment
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.lora import initial_adapter
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.settings import read_settings
from flow_grpo.trainer.trainer import Trainer
from tests.trainer.run import RUN_ID, WORKER, Run, no_progress
from tests.trainer.samples import LORA, MODEL, random_samples, training

TRUNCATED = {"level": "token", "cap": 2.0}


def as_sampled(model: Path, samples: list[Sample], temperature: float = 1.0) -> list[Sample]:
    """The samples with the log-probs of policy 0 of a run, by transformers itself."""
    planner = Planner.load(model, MODEL, Lora.model_validate(LORA))
    planner.set_tensors(initial_adapter(planner.shapes(), run_seed=3))
    planner.model.set_attn_implementation("eager")

    def logprobs(sample: Sample) -> tuple[float, ...]:
        with torch.no_grad():
            logits = planner.model(input_ids=torch.tensor([sample.tokens]), use_cache=False).logits[0]
        scores = torch.log_softmax(logits[len(sample.prompt) - 1 : -1] / temperature, dim=-1)
        return tuple(scores[range(len(sample.response)), list(sample.response)].tolist())

    return [replace(sample, logprobs=logprobs(sample)) for sample in samples]


def off_by(samples: list[Sample], nats: float) -> list[Sample]:
    return [replace(one, logprobs=tuple(value - nats for value in one.logprobs)) for one in samples]


def strict(run: Run) -> Trainer:
    """A trainer with the limit that it has by itself."""
    return Trainer(replace(run.stores(), mismatch_limit=read_settings(ENVIRONMENT).mismatch_limit), WORKER, 1)


ENVIRONMENT = {"DATABASE_URL": "postgres://h/d", "AGENTFLOW_ARTIFACTS": "file:///a", "AGENTFLOW_MODELS_CACHE": "/m"}


def test_samples_of_the_policy_pass_and_are_far_below_the_limit(run: Run, tiny_model: Path) -> None:
    run.init(run.trainer())
    batch = run.freeze(1, samples=as_sampled(tiny_model, random_samples(1)))
    metrics = strict(run).train_step(run.request(1, batch), no_progress).metrics
    assert metrics["logprob_mismatch_mean"] < 1e-4


def test_rounding_of_another_engine_passes(run: Run, tiny_model: Path) -> None:
    """SmolLM2 in bf16 is 0.05 nats from fp32."""
    run.init(run.trainer())
    batch = run.freeze(1, samples=off_by(as_sampled(tiny_model, random_samples(1)), 0.1))
    assert strict(run).train_step(run.request(1, batch), no_progress).metrics["logprob_mismatch_mean"] > 0.09


@pytest.mark.parametrize("level", ["none", "token"])
def test_samples_of_another_policy_pause_the_run_before_anything_is_written(
    run: Run, tiny_model: Path, level: str
) -> None:
    """Importance sampling must not hide it."""
    run.init(run.trainer())
    importance = TRUNCATED if level == "token" else {"level": "none"}
    hyper = training(weights=run.weights, importance_sampling=importance).model_dump()
    batch = run.freeze(1, samples=off_by(as_sampled(tiny_model, random_samples(1)), 0.5), training=hyper)
    with pytest.raises(Failure) as caught:
        strict(run).train_step(run.request(1, batch), no_progress)
    assert caught.value.type is FailureType.SamplerMismatch
    assert caught.value.details == {"step": 1}
    for told in (f"{RUN_ID}@0", "0.5 nats", "0.3 is the limit", "AGENTFLOW_MISMATCH_LIMIT", "processed_logprobs"):
        assert told in str(caught.value)
    assert run.execute("SELECT 1 FROM policies WHERE step = 1") == []
    assert not (run.directory / "policies" / "000001").exists()
    # The operator may know better.
    assert run.trainer().train_step(run.request(1, batch), no_progress).policy.name == f"{RUN_ID}@1"


def test_the_limit_is_the_operators(run: Run) -> None:
    assert read_settings({**ENVIRONMENT, "AGENTFLOW_MISMATCH_LIMIT": "1.5"}).mismatch_limit == 1.5
    for wrong in ("0", "-1", "nan", "much"):
        with pytest.raises(BadEnvironment, match="AGENTFLOW_MISMATCH_LIMIT"):
            read_settings({**ENVIRONMENT, "AGENTFLOW_MISMATCH_LIMIT": wrong})
