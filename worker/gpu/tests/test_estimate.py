"""The memory estimate: from config.json alone, near what a step really takes."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flow_grpo.estimate import main
from flow_grpo.trainer.memory_estimate import RUNTIME_BYTES, estimate, model_sizes
from tests.trainer.samples import training

GIB = 2**30

LORA = {"kind": "lora", "rank": 16, "alpha": 32.0}

# Large enough for the rows to outweigh the rest, small enough for a second.
LLAMA = {
    "vocab_size": 512,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}

QWEN_7B = {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
}


def write(directory: Path, config: dict[str, Any]) -> Path:
    file = directory / "config.json"
    file.write_text(json.dumps(config))
    return file


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_step_takes_what_was_estimated_within_a_third(tmp_path: Path, checkpointing: bool) -> None:
    changes = {"micro_batch_tokens": 4096, "gradient_checkpointing": checkpointing}
    hyper = training(**changes)
    parts = estimate(model_sizes(write(tmp_path, {**LLAMA, "model_type": "llama"}), hyper), hyper, accelerated=False)
    estimated = sum(part.bytes for part in parts) - RUNTIME_BYTES
    request = json.dumps({"config": LLAMA, "training": changes})
    # Memory that is given back goes back to the system: else the allocator's gaps are measured too.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-m", "tests.trainer.measured_step", request]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert 0.75 < estimated / int(done.stdout) < 1.34


def configuration(**changes: Any) -> str:
    hyper = training(
        weights={"kind": "lora", "rank": 16, "alpha": 32.0}, micro_batch_tokens=8192, dtype="bfloat16", **changes
    )
    return json.dumps({"model": "qwen2.5-7b-instruct", "steps": 1, "training": hyper.model_dump()})


def test_qwen_7b_is_counted_exactly_and_loads_nothing(tmp_path: Path) -> None:
    sizes = model_sizes(write(tmp_path, QWEN_7B), training(weights=LORA))
    assert sizes.parameters == 7_615_616_512
    # Rank 16 on seven projections: 16 x (in + out) each.
    assert sizes.trained == 28 * 16 * (2 * 2 * 3584 + 2 * (3584 + 512) + 3 * (3584 + 18944))


def test_full_fine_tuning_of_7b_holds_weights_and_gradient_and_no_second_model(tmp_path: Path) -> None:
    hyper = training(weights={"kind": "full"}, micro_batch_tokens=8192, dtype="bfloat16", gradient_checkpointing=True)
    sizes = model_sizes(write(tmp_path, QWEN_7B), hyper)
    assert sizes.trained == sizes.parameters == 7_615_616_512
    on_gpu = {part.name: part.bytes for part in estimate(sizes, hyper, accelerated=True)}
    assert on_gpu["what trains"] == on_gpu["gradient"] == 4 * sizes.parameters
    assert "base weights" not in on_gpu
    # Moments before and after a step are the CPU's: where that computes, they count.
    on_cpu = {part.name: part.bytes for part in estimate(sizes, hyper, accelerated=False)}
    assert on_cpu["optimiser"] == 16 * sizes.parameters > 4 * on_gpu["optimiser"]


def test_a_7b_base_in_4_bits_leaves_embedding_and_head(tmp_path: Path) -> None:
    weights = {**LORA, "base": "nf4"}
    hyper = training(weights=weights, importance_sampling={"level": "token", "cap": 2.0}, dtype="bfloat16")
    sizes = model_sizes(write(tmp_path, QWEN_7B), hyper)
    assert sizes.quantised == 28 * (2 * 3584 * 3584 + 2 * 3584 * 512 + 3 * 3584 * 18944)
    base = estimate(sizes, hyper, accelerated=True)[0]
    # Half a byte for each number, and an fp32 scale for 64 of them.
    assert base.bytes == sizes.quantised * 36 // 64 + 2 * (sizes.parameters - sizes.quantised)


# Of one layer of the 7B: query and output, key and value, their biases, the feed-forward layer, two norms.
LAYER_7B = 2 * 3584 * 3584 + 2 * 3584 * 512 + 3584 + 2 * 512 + 3 * 3584 * 18944 + 2 * 3584
# Embedding, head and the last norm.
WHOLE_7B = 2 * 152064 * 3584 + 3584


def test_each_rank_holds_a_shard_of_the_layers_and_the_rest_whole(tmp_path: Path) -> None:
    hyper = training(weights={"kind": "full"}, micro_batch_tokens=8192, dtype="bfloat16", gradient_checkpointing=True)
    sizes = model_sizes(write(tmp_path, QWEN_7B), hyper)
    alone, shared = (
        {part.name: part.bytes for part in estimate(sizes, hyper, accelerated=True, ranks=ranks)} for ranks in (1, 8)
    )
    held = 28 * LAYER_7B // 8 + WHOLE_7B
    assert shared["what trains"] == shared["gradient"] == 4 * held
    # Two layers whole at a time, each with its gradient.
    assert shared["gathered layers"] == 2 * 2 * 4 * LAYER_7B
    # Rank 0 has a moment of the embedding whole and in pieces to hand it out, and four numbers for each of its own.
    assert shared["optimiser"] == 4 * (2 * 152064 * 3584 + 4 * 152064 * 3584 // 8)
    own = {name: size for name, size in shared.items() if name not in ("what trains", "gradient", "optimiser")}
    assert own == {"gathered layers": own["gathered layers"]} | {name: alone[name] for name in own if name in alone}
    assert "gathered layers" not in alone


def test_each_rank_holds_a_shard_of_the_frozen_layers_and_of_the_adapter(tmp_path: Path) -> None:
    hyper = training(weights=LORA, micro_batch_tokens=8192, dtype="bfloat16")
    sizes = model_sizes(write(tmp_path, QWEN_7B), hyper)
    parts = {part.name: part.bytes for part in estimate(sizes, hyper, accelerated=True, ranks=4)}
    adapter = 16 * (2 * 2 * 3584 + 2 * (3584 + 512) + 3 * (3584 + 18944))
    assert parts["base weights"] == 2 * (28 * LAYER_7B // 4 + WHOLE_7B)
    assert parts["what trains"] == parts["gradient"] == 4 * 28 * adapter // 4
    assert parts["gathered layers"] == 2 * (2 * LAYER_7B + 2 * 4 * adapter)
    # On CPUs, rank 0 has the states before and after a step besides: theirs whole.
    on_cpu = {part.name: part.bytes for part in estimate(sizes, hyper, accelerated=False, ranks=4)}
    assert on_cpu["what trains"] == 4 * (28 * adapter // 4 + 2 * 28 * adapter)


def run_command(
    monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return main(arguments, environment or {})


def test_full_fine_tuning_of_7b_fits_gpus_of_40_gb_where_eight_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hyper = training(weights={"kind": "full"}, micro_batch_tokens=8192, dtype="bfloat16", gradient_checkpointing=True)
    text = json.dumps({"model": "m", "training": hyper.model_dump()})
    given = ("--model-config", str(write(tmp_path, QWEN_7B)), "--device-gib", "39")
    assert run_command(monkeypatch, text, *given) == 1
    capsys.readouterr()
    eight = {"AGENTFLOW_TRAINER_RANKS": "8"}
    assert run_command(monkeypatch, text, *given, environment=eight) == 0
    assert re.search(r"total of each rank +[0-9.]+ GiB  fits in 39\.00 GiB", capsys.readouterr().out)
    run_command(monkeypatch, text, *given, "--json", environment=eight)
    assert json.loads(capsys.readouterr().out)["ranks"] == 8


def test_ranks_on_cpus_share_the_memory_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = []
    for ranks in ("", "2"):
        given = ("--model-config", str(write(tmp_path, QWEN_7B)), "--json")
        run_command(monkeypatch, configuration(), *given, environment={"AGENTFLOW_TRAINER_RANKS": ranks})
        found.append(json.loads(capsys.readouterr().out)["available"])
    assert found[0] // 2 == found[1]


@pytest.mark.parametrize(
    ("ranks", "base", "problem"),
    [("0", "full-precision", "must be a number"), ("two", "full-precision", "'two'"), ("2", "nf4", "alone: 2 ranks")],
)
def test_ranks_that_no_trainer_would_start_with_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ranks: str,
    base: str,
    problem: str,
) -> None:
    hyper = training(weights={**LORA, "base": base}, importance_sampling={"level": "token", "cap": 2.0})
    text = json.dumps({"model": "m", "training": hyper.model_dump()})
    given = ("--model-config", str(write(tmp_path, QWEN_7B)))
    assert run_command(monkeypatch, text, *given, environment={"AGENTFLOW_TRAINER_RANKS": ranks}) == 2
    assert problem in capsys.readouterr().err


def test_gradient_checkpointing_decides_whether_7b_fits_80_gb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--model-config", str(write(tmp_path, QWEN_7B)), "--device-gib", "79")
    assert run_command(monkeypatch, configuration(gradient_checkpointing=True), *given) == 0
    assert "fits in 79.00 GiB" in capsys.readouterr().out
    assert run_command(monkeypatch, configuration(), *given) == 1
    assert "DOES NOT FIT" in capsys.readouterr().out
    assert run_command(monkeypatch, configuration(), *given, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["total"] == sum(part["bytes"] for part in answer["parts"]) > answer["available"] == 79 * GIB


def test_the_operators_directory_is_read_without_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, QWEN_7B)
    operator = tmp_path / "operator.yaml"
    operator.write_text(f"models: {{ qwen2.5-7b-instruct: {{ source: {{ directory: {tmp_path} }}, context: 64 }} }}")
    monkeypatch.setattr(sys, "stdin", io.StringIO(configuration()))
    main(["--device-gib", "500"], {"AGENTFLOW_OPERATOR_FILE": str(operator)})
    assert "7.62 billion" in capsys.readouterr().out


def estimate_registered(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], context: int
) -> dict[str, Any]:
    write(directory, {**QWEN_7B, "max_position_embeddings": 8192})
    operator = directory / "operator.yaml"
    source = f"{{ directory: {directory} }}"
    operator.write_text(f"models: {{ qwen2.5-7b-instruct: {{ source: {source}, context: {context} }} }}")
    monkeypatch.setattr(sys, "stdin", io.StringIO(configuration()))
    main(["--json", "--device-gib", "500"], {"AGENTFLOW_OPERATOR_FILE": str(operator)})
    return json.loads(capsys.readouterr().out)


def test_a_context_within_the_budget_and_the_model_needs_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert estimate_registered(tmp_path, monkeypatch, capsys, 8192)["notes"] == []


def test_a_longer_context_is_noted_with_what_such_a_sequence_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = estimate_registered(tmp_path, monkeypatch, capsys, 16384)
    beyond_model, beyond_budget = answer["notes"]
    assert "16384 tokens is above the model's max_position_embeddings, 8192" in beyond_model
    takes = re.search(r"micro_batch_tokens, 8192, .* 16384 tokens: .* ([0-9.]+) GiB", beyond_budget)
    assert takes is not None
    assert float(takes[1]) > answer["total"] / GIB


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{}", "model: Field required"), ('{"model": "m", "training": {}}', "defaults filled in"), ("[", "Invalid JSON")],
)
def test_a_configuration_that_is_not_whole_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    assert run_command(monkeypatch, text) == 2
    assert problem in capsys.readouterr().err


def test_a_model_that_is_not_registered_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, configuration()) == 2
    assert "'qwen2.5-7b-instruct' is not registered" in capsys.readouterr().err
