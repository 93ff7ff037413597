"""An export is loaded by plain transformers and PEFT, and plans as the trainer and the policy server do."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from safetensors.torch import load, save
from transformers import AutoModelForCausalLM, AutoTokenizer

from flow_grpo import artifacts
from flow_grpo.base_model import RegisteredModel, load_tokenizer
from flow_grpo.export import export as exporting
from flow_grpo.export.__main__ import main
from flow_grpo.policy import ADAPTER_TENSORS, file_sha256, read_policy, tensors_sha256
from flow_grpo.policy_server.engine import Engine, GenerationRequest
from flow_grpo.policy_server.policies import PolicyStore
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.trainer.hyper_parameters import Full, Lora
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.prefix_tree import build_tree
from tests.directories import load_directory
from tests.trainer.rows import evaluate, submit
from tests.trainer.run import RUN_ID, Run
from tests.trainer.samples import LORA, MODEL, sample

STEPS = 4
TOKENS = 16
PROMPT = "Question: What is 347 plus 589?\nCalculator:"


@pytest.fixture
def run(
    tmp_path: Path, database_url: str, models_cache: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """A run of four steps, as if the last had been so large that another text is planned."""
    run = Run(tmp_path, database_url, models_cache)
    run.train(run.trainer(), STEPS)
    run.policies[STEPS] = enlarge(run)
    submit(run, RUN_ID, {"name": "to be exported", "dataset": {"name": "atlas", "seed": 7}})
    evaluate(run, 0, 0.47)
    evaluate(run, STEPS, 0.83)
    configure(run, monkeypatch)
    return run


def configure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the command."""
    environment = {
        "DATABASE_URL": run.database_url,
        "AGENTFLOW_ARTIFACTS": run.root.as_uri(),
        "AGENTFLOW_MODELS_CACHE": str(run.models_cache),
        "AGENTFLOW_OPERATOR_FILE": str(run.operator_file),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def enlarge(run: Run) -> str:
    """Make the last policy a large random one, committed; returns its sha256."""
    directory = run.directory / "policies" / f"{STEPS:06d}"
    manifest, files = load_directory(directory)
    generator = torch.Generator().manual_seed(1)
    shapes = {name: tensor.shape for name, tensor in load(files[ADAPTER_TENSORS]).items()}
    tensors = {name: torch.randn(shape, generator=generator) * 0.2 for name, shape in shapes.items()}
    sha256 = tensors_sha256(tensors)
    shutil.rmtree(directory)
    files[ADAPTER_TENSORS] = save(tensors)
    artifacts.commit_directory(directory, files, {**manifest, "policy_sha256": sha256})
    run.execute("UPDATE policies SET sha256 = %s WHERE step = %s", (sha256, STEPS))
    return sha256


@pytest.fixture
def planner(tiny_model: Path) -> Planner:
    """The trainer's model, with an adapter to be set."""
    return Planner.load(tiny_model, MODEL, Lora.model_validate(LORA))


@pytest.fixture
def prompt(tiny_model: Path) -> list[int]:
    return load_tokenizer(tiny_model).encode(PROMPT)


def greedy(model: Any, prompt: Sequence[int]) -> list[int]:
    """Tokens that transformers samples at temperature 0."""
    with torch.inference_mode():
        found = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=TOKENS, do_sample=False
        )
    return found[0, len(prompt) :].tolist()


def planned(run: Run, planner: Planner, prompt: Sequence[int], response: Sequence[int], step: int = STEPS) -> list[int]:
    """The token that the trainer's planner holds most likely after the prompt and after each token of the response."""
    planner.set_tensors(read_policy(run.directory / "policies" / f"{step:06d}").tensors)
    tree = build_tree([sample(0, 0, 1, list(prompt), list(response), 0.0)])
    with torch.inference_mode():
        hidden = planner.hidden_states(tree, planner.attention(tree), lambda: None)
        logits = hidden @ planner.head_weight.T
    return logits.argmax(dim=1)[len(prompt) - 1 : len(prompt) - 1 + len(response)].tolist()


def served(run: Run, models_cache: Path, prompt: list[int]) -> list[int]:
    """Tokens that the policy server samples at temperature 0."""
    models = {MODEL: RegisteredModel(MODEL, "tiny-random", 2048)}
    store = PolicyStore(models, run.root, models_cache, 16 * 2**20, capacity=1, threads=RowThreads(2))
    engine = Engine(2)
    try:
        policy = store.acquire(f"{RUN_ID}@{STEPS}", run.policies[STEPS])
        return engine.submit(GenerationRequest(prompt, TOKENS, 0.0, 0), policy).result(60).token_ids
    finally:
        engine.close()


def check_files(directory: Path, kind: str, run: Run) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    present = {path.name for path in directory.iterdir()}
    assert {**manifest["files"]}.keys() == present - {"manifest.json"}
    assert all(file_sha256(directory / name) == sha256 for name, sha256 in manifest["files"].items())
    assert (manifest["kind"], manifest["policy_sha256"]) == (kind, run.policies[STEPS])
    card = (directory / "README.md").read_text()
    for stated in (run.policies[STEPS], manifest["base_model_sha256"], MODEL, "atlas", "0.470", "0.830", "reward_mean"):
        assert stated in card


def test_merged_weights_plan_in_plain_transformers_as_here(
    run: Run, planner: Planner, prompt: list[int], models_cache: Path, tmp_path: Path
) -> None:
    target = tmp_path / "merged"
    assert main([f"{RUN_ID}@{STEPS}", "--to", str(target), "--merged"]) == 0
    check_files(target, "merged", run)
    tokens = greedy(AutoModelForCausalLM.from_pretrained(target), AutoTokenizer.from_pretrained(target).encode(PROMPT))
    assert tokens == planned(run, planner, prompt, tokens) == served(run, models_cache, prompt)
    assert str(models_cache) not in (target / "config.json").read_text()
    assert (target / "generation_config.json").exists()


def test_the_adapter_plans_in_peft_and_in_transformers_as_here(
    run: Run, planner: Planner, prompt: list[int], models_cache: Path, tiny_model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "adapter"
    target.mkdir()
    assert main([f"{RUN_ID}@{STEPS}", "--to", str(target)]) == 0
    check_files(target, "adapter", run)
    assert AutoTokenizer.from_pretrained(target).encode(PROMPT) == prompt
    tokens = greedy(AutoPeftModelForCausalLM.from_pretrained(target, dtype=torch.float32), prompt)
    assert greedy(AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32), prompt) == tokens
    assert tokens == planned(run, planner, prompt, tokens) == served(run, models_cache, prompt)
    # The adapter matters: the base model plans otherwise.
    assert greedy(AutoModelForCausalLM.from_pretrained(tiny_model), prompt) != tokens


@pytest.mark.parametrize("arguments", [[], ["--merged"]])
def test_a_model_that_trained_whole_plans_in_plain_transformers_as_here(
    tmp_path: Path,
    database_url: str,
    models_cache: Path,
    tiny_model: Path,
    prompt: list[int],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    run, target = Run(tmp_path, database_url, models_cache), tmp_path / "whole"
    run.weights = {"kind": "full"}
    run.train(run.trainer(), 1)
    configure(run, monkeypatch)
    assert main([f"{RUN_ID}@1", "--to", str(target), *arguments]) == 0
    manifest = json.loads((target / "manifest.json").read_text())
    assert (manifest["kind"], manifest["policy_sha256"]) == ("full", run.policies[1])
    assert AutoTokenizer.from_pretrained(target).encode(PROMPT) == prompt
    tokens = greedy(AutoModelForCausalLM.from_pretrained(target), prompt)
    planner = Planner.load(tiny_model, MODEL, Full(kind="full"))
    assert tokens == planned(run, planner, prompt, tokens, step=1)
    trained, base = (AutoModelForCausalLM.from_pretrained(directory).state_dict() for directory in (target, tiny_model))
    # Equal tokens would say little of a model that a step has not moved.
    assert all(not torch.equal(trained[name], base[name]) for name in base)


def test_a_directory_in_use_is_left_alone(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert main([f"{RUN_ID}@{STEPS}", "--to", str(tmp_path / "mine")]) == 1
    assert "not an empty directory" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_an_export_that_fails_leaves_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise OSError("No space left on device")

    monkeypatch.setattr(exporting, "model_card", fail)
    target = tmp_path / "out" / "adapter"
    with pytest.raises(OSError, match="No space"):
        main([f"{RUN_ID}@{STEPS}", "--to", str(target)])
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("policy", "code", "message"),
    [
        (f"{RUN_ID}@9", 1, "was never committed; those of run-1 that stand are of steps 0, 2, 3, 4"),
        (f"{RUN_ID}@1", 1, "was collected, or is lost; those of run-1 that stand are of steps 0, 2, 3, 4"),
        ("run-9@0", 1, "was never committed; those of run-9 that stand are of steps none"),
    ],
)
def test_a_policy_that_does_not_stand_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str, code: int, message: str
) -> None:
    assert main([policy, "--to", str(tmp_path / "out")]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_base_model_under_the_same_name_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.operator_file.write_text("models:\n  tiny-random: { source: smollm2, context: 2048 }\n")
    assert main([f"{RUN_ID}@{STEPS}", "--to", str(tmp_path / "out")]) == 1
    assert "trained on" in capsys.readouterr().err
