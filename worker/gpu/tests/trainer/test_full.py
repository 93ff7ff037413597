"""Full fine-tuning: the formula's gradient for every parameter, whole models as policies, and equal bytes (I5)."""

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from flow_grpo.base_model import RegisteredModel
from flow_grpo.causal_lm import UnsupportedModel
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import FullWeights, read_policy
from flow_grpo.policy_server.engine import Engine, GenerationRequest
from flow_grpo.policy_server.policies import PolicyStore
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.trainer.hyper_parameters import Full, Lora
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.state import TrainerState, initial_state
from flow_grpo.trainer.step import StepInputs, take_step
from tests.models import save_small_model
from tests.trainer.again import remove_checkpoints, uncommit
from tests.trainer.formula import Turn
from tests.trainer.formula import loss as formula_loss
from tests.trainer.run import Run, no_progress
from tests.trainer.samples import LORA, MODEL, in_memory, kl, random_samples, training

FULL = Full(kind="full")
TEMPERATURE, RESPONSE_LIMIT, VOCABULARY = 0.7, 6, 40


def moved(model: Any) -> dict[str, torch.Tensor]:
    """Weights some way off those of a model, in fp32: a policy that has trained, with the model as its reference."""
    generator = torch.Generator().manual_seed(6)
    return {
        name: parameter.detach() + torch.randn(parameter.shape, generator=generator) * 0.05
        for name, parameter in model.named_parameters()
    }


def formula_gradient(directory: Path, policy: dict[str, torch.Tensor], samples: list[Any], hyper: Any) -> Any:
    """Gradient of the loss by every parameter of plain transformers, one sequence at a time, in fp64."""
    models = [AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32) for _ in range(2)]
    model, base = models
    model.load_state_dict(policy, strict=False)
    model, base = model.double(), base.double()
    turns: list[Turn] = []
    for s in samples:
        token, place = torch.tensor(s.response, dtype=torch.int64), torch.arange(len(s.response))
        logprobs, reference = (
            torch.log_softmax(
                m(input_ids=torch.tensor([s.tokens])).logits[0][len(s.prompt) - 1 : -1] / TEMPERATURE, dim=-1
            )
            for m in (model, base)
        )
        logprob, entropy = logprobs[place, token], -(logprobs.exp() * logprobs).sum(-1)
        turns.append(Turn(s, logprob, logprob.detach(), reference[place, token].detach(), entropy))
    formula_loss(turns, hyper, RESPONSE_LIMIT).backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("kind", ["qwen2", "qwen2-tied", "llama"])
@pytest.mark.parametrize("budget", [4096, 40])
def test_every_parameter_has_the_formulas_gradient(tmp_path: Path, kind: str, budget: int) -> None:
    directory = save_small_model(kind, tmp_path / "model")
    samples = random_samples(3, groups=3, rollouts=4, vocabulary=VOCABULARY)
    options = {"kl": kl(0.1), "entropy_coefficient": 0.05, "weights": {"kind": "full"}}
    hyper = training(max_grad_norm=1e9, micro_batch_tokens=budget, **options)
    planner = Planner.load(directory, MODEL, FULL)
    policy = moved(planner.model)
    policy = {name.replace(".base.", "."): tensor for name, tensor in policy.items()}
    assert ("lm_head.weight" in policy) == (kind != "qwen2-tied")
    batch = in_memory(samples, hyper, temperature=TEMPERATURE, response_limit=RESPONSE_LIMIT)
    state, metrics = take_step(planner, initial_state("run", FULL, policy), StepInputs(batch), no_progress)
    expected = formula_gradient(directory, policy, samples, hyper)
    assert state.optimiser.exp_avg.keys() == expected.keys() == policy.keys()
    whole = torch.stack([gradient.norm() for gradient in expected.values()]).norm()
    for name, gradient in expected.items():
        difference = (10 * state.optimiser.exp_avg[name].double() - gradient).norm()
        # Some are nearly zero, a key's bias for one: what rounds there is small beside the whole.
        assert float(difference) < 1e-5 * float(gradient.norm()) + 1e-6 * float(whole), name
    assert metrics["kl"] > 0


def full_state(planner: Planner) -> TrainerState:
    return initial_state("run", FULL, planner.initial_tensors(3))


def test_policy_zero_is_the_base_model_and_has_no_divergence_from_it(tiny_model: Path) -> None:
    planner = Planner.load(tiny_model, MODEL, FULL)
    state = full_state(planner)
    _, metrics = take_step(
        planner, state, StepInputs(in_memory(random_samples(4), training(weights={"kind": "full"}))), no_progress
    )
    assert metrics["kl"] == 0
    assert metrics["gradient_norm"] > 0
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    assert all(torch.equal(state.tensors[name], parameter) for name, parameter in base.named_parameters())


def test_the_weights_go_on_in_fp32_where_products_are_bf16(tiny_model: Path) -> None:
    planner = Planner.load(tiny_model, MODEL, FULL)
    hyper = training(weights={"kind": "full"}, dtype="bfloat16", learning_rate=1e-6)
    state = full_state(planner)
    after, _ = take_step(planner, state, StepInputs(in_memory(random_samples(4), hyper)), no_progress)
    for name, tensor in after.tensors.items():
        assert tensor.dtype == torch.float32, name
    # Less than bf16 could tell apart.
    changes = [float((after.tensors[name] - tensor).abs().max()) for name, tensor in state.tensors.items()]
    assert 0 < max(changes) < 1e-5


def test_an_adapters_batch_is_refused(tiny_model: Path) -> None:
    planner = Planner.load(tiny_model, MODEL, FULL)
    with pytest.raises(Failure) as caught:
        take_step(planner, full_state(planner), StepInputs(in_memory(random_samples(1))), no_progress)
    assert caught.value.type is FailureType.WrongIdentity


def test_a_model_that_is_stored_under_other_names_is_refused(tiny_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    with pytest.raises(UnsupportedModel, match="stored under other names"):
        Planner(model, MODEL, FULL, base={"transformer.wte.weight": torch.zeros(1)})
    Planner(model, MODEL, Lora.model_validate(LORA), base={})


@pytest.fixture
def full_run(run: Run) -> Run:
    """Three steps in which the whole model trains."""
    run.weights = {"kind": "full"}
    run.train(run.trainer(), 3)
    return run


def test_policies_are_whole_models_that_transformers_loads(full_run: Run, tiny_model: Path, tmp_path: Path) -> None:
    directory = full_run.directory / "policies" / "000003"
    assert {path.name for path in directory.iterdir()} == {"model.safetensors", "manifest.json"}
    policy = read_policy(directory)
    assert isinstance(policy, FullWeights)
    assert (policy.base_model, policy.sha256) == (MODEL, full_run.policies[3])
    assert len({*full_run.policies.values()}) == 4
    shutil.copy(tiny_model / "config.json", tmp_path)
    shutil.copy(directory / "model.safetensors", tmp_path)
    loaded: Any = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32, output_loading_info=True)
    model, found = loaded
    assert not any(found[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert all(torch.equal(policy.tensors[name], parameter) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("checkpoint", [None, 1])
def test_a_replay_from_any_checkpoint_ends_with_the_same_bytes(full_run: Run, checkpoint: int | None) -> None:
    """I5."""
    expected = full_run.optimiser_bytes(3)
    uncommit(full_run, 3)
    remove_checkpoints(full_run, but=[] if checkpoint is None else [checkpoint])
    sha256 = full_run.policies[3]
    assert full_run.step(full_run.trainer(), 3).policy.sha256 == sha256
    assert full_run.optimiser_bytes(3) == expected


def test_the_policy_server_samples_from_the_whole_models(full_run: Run, models_cache: Path, tiny_model: Path) -> None:
    prompt = [5, 6, 7, 8]
    models = {MODEL: RegisteredModel(MODEL, "tiny-random", 2048)}
    store = PolicyStore(models, full_run.root, models_cache, 16 * 2**20, capacity=2, threads=RowThreads(2))
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    engine = Engine(2)
    logprobs: list[float] = []
    try:
        for step in (1, 3):
            name = f"{full_run.run_id}@{step}"
            policy = store.acquire(name, full_run.policies[step])
            found = engine.submit(GenerationRequest(prompt, 4, 1.0, 1), policy).result(60)
            store.release(policy)
            weights = read_policy(full_run.directory / "policies" / f"{step:06d}").tensors
            model.load_state_dict(weights, strict=False)
            model.tie_weights()
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([prompt + found.token_ids])).logits[0, len(prompt) - 1 : -1]
            expected = torch.log_softmax(logits, dim=-1)[torch.arange(len(found.token_ids)), found.token_ids]
            torch.testing.assert_close(torch.tensor(found.logprobs, dtype=torch.float32), expected, rtol=0, atol=1e-3)
            logprobs.append(found.logprobs[0])
    finally:
        engine.close()
    assert all(a != b for a, b in pairwise(logprobs))
