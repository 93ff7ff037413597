"""The gradient step beside TRL's GRPOTrainer and a naive padded one: same batch, weights, passes, threads, dtype.

npm run bench:gradient-step -- [--layers 4] [--shape NAME ...] [--kl 0.001 0] [--rounds 5] [--json FILE]
npm run bench:gradient-step -- --device cuda --dtype bfloat16 --qwen2    all arms on the same GPU
npm run bench:gradient-step -- --smoke    a tiny model and batch, one round: whether it runs, not how fast it is

The model has SmolLM2-135M's widths and vocabulary and --layers of its 30 layers, or with --qwen2 the shape of
Qwen2.5-0.5B; the adapter is LoRA of rank 16 on all linear layers. First the gradients of all arms are compared; a
difference of 1e-5 or more (in bf16 of 0.05) ends the run. Then whole steps are timed in one process, the arms in turn,
forwards and backwards (A B C D, D C B A, ...); the first round is dropped. Peak memory is measured in a process per
arm. bound.py says what the bound is; it is the CPU's.
"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import AutoConfig
from transformers.utils.logging import disable_progress_bar

from bench.gradient_step.arms import ARMS, NAIVE, OURS, TRL, TRL_MASKED, Arm, Ours, Task, make_arm, relative_l2
from bench.gradient_step.bound import measure_bound
from bench.gradient_step.cases import (
    SHAPES,
    SMOKE,
    Shape,
    hyper_parameters,
    make_model,
    make_qwen2,
    make_samples,
    make_smoke_model,
)
from bench.gradient_step.report import Report, print_report
from bench.gradient_step.stopwatch import Seconds, Stopwatch
from flow_grpo.trainer.memory import PeakMemory
from flow_grpo.trainer.prefix_tree import build_tree
from flow_grpo.trainer.step import use_deterministic_arithmetic

MODELS_CACHE = Path(__file__).parents[4] / ".cache" / "models"
PARITY = {"float32": 1e-5, "bfloat16": 0.05}
# TRL's default.
BATCH_ROWS = 8


class NotEqual(Exception):
    """Two arms do not compute the same gradient, so comparing their speed would mean nothing."""


def run_case(task: Task, shape: Shape, names: list[str], rounds: int) -> Report:
    """Compare gradients, then time steps. Raises NotEqual."""
    kl = task.training.kl.coefficient
    report = Report(shape.name, kl, count_tokens(task))
    print(f"\n{shape.name}, group {shape.group}, KL {kl:g}: {report.tokens}", flush=True)
    arms = {name: make_arm(name, task) for name in names}
    report.parity = compare_gradients(arms)
    limit = PARITY[task.training.dtype]
    if max(report.parity.values()) >= limit:
        raise NotEqual(f"{shape.name}: a gradient differs by {limit:g} or more; nothing was timed")
    report.seconds = time_arms(arms, rounds)
    ours = arms[OURS]
    assert isinstance(ours, Ours)
    if task.device.type == "cpu":
        report.bound = measure_bound(ours.planner, build_tree(task.samples), kl > 0)
    return report


def compare_gradients(arms: dict[str, Arm]) -> dict[str, float]:
    """Print and return the relative L2 distance of each arm's gradient from TRL's."""
    expected = arms[TRL_MASKED].gradient()
    parity: dict[str, float] = {}
    for name in arms.keys() - {TRL_MASKED}:
        parity[name] = relative_l2(arms[name].gradient(), expected)
        print(f"  parity: {name}: relative L2 of the gradient {parity[name]:.1e} from TRL's", flush=True)
    return parity


def time_arms(arms: dict[str, Arm], rounds: int) -> dict[str, list[Seconds]]:
    """Time of each arm's steps; arms take turns, in an order that is reversed every round; one more round first."""
    times: dict[str, list[Seconds]] = {name: [] for name in arms}
    for number in range(rounds + 1):
        for name in list(arms)[:: 1 if number % 2 == 0 else -1]:
            watch = Stopwatch()
            arms[name].step()
            times[name].append(watch.read())
    return {name: seconds[1:] for name, seconds in times.items()}


def count_tokens(task: Task) -> dict[str, int]:
    """Tokens of the batch: as samples, as padded rows, as a tree, and those that were sampled."""
    prompts, responses = [len(s.prompt) for s in task.samples], [len(s.response) for s in task.samples]
    return {
        "in samples": sum(prompts) + sum(responses),
        "padded": len(task.samples) * (max(prompts) + max(responses)),
        "in tree": build_tree(task.samples).size,
        "sampled": sum(responses),
    }


def peak_memory(name: str, task: Task) -> int:
    """Peak resident memory of this process in an arm's second step, in bytes."""
    arm = make_arm(name, task)
    arm.step()
    peak = PeakMemory()
    arm.step()
    return peak.read()


def peak_memory_in_own_process(name: str, shape: Shape, task: Task) -> int:
    """The same in a process that does nothing else."""
    command = [sys.executable, "-m", "bench.gradient_step", "--memory-of", name, "--model", str(task.model)]
    command += ["--shape", shape.name, "--kl", str(task.training.kl.coefficient)]
    command += ["--device", task.device.type, "--dtype", task.training.dtype]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1])


def make_task(model: Path, shape: Shape, kl: float, arguments: argparse.Namespace) -> Task:
    """The shape's batch for a model directory."""
    vocabulary = AutoConfig.from_pretrained(model, local_files_only=True).vocab_size
    training = hyper_parameters(kl, shape.group, arguments.dtype)
    return Task(model, make_samples(shape, vocabulary), training, BATCH_ROWS, torch.device(arguments.device))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [shape.name for shape in SHAPES]
    parser.add_argument("--layers", type=int, default=4, help="of SmolLM2's 30; with all, the real weights")
    parser.add_argument("--qwen2", action="store_true", help="the shape of Qwen2.5-0.5B, random weights")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=list(PARITY), default="float32", help="of the products; bfloat16 on a GPU")
    parser.add_argument("--shape", nargs="+", choices=[*names, SMOKE.name], default=names)
    parser.add_argument("--kl", type=float, nargs="+", default=[0.001, 0.0], help="coefficients of the KL term")
    parser.add_argument("--without", nargs="+", choices=[TRL, NAIVE], default=[], help="arms to leave out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--smoke", action="store_true", help="the smallest shape and model, once")
    parser.add_argument("--no-memory", action="store_true", help="do not measure memory")
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory-of", choices=ARMS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.shape, arguments.kl, arguments.rounds = [SMOKE.name], [0.001], 1
    return arguments


def run_cases(arguments: argparse.Namespace, shapes: list[Shape]) -> list[Report]:
    """All shapes with all KL coefficients. Raises NotEqual."""
    reports: list[Report] = []
    names = [name for name in ARMS if name not in arguments.without]
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory)
        if arguments.smoke:
            make_smoke_model(model)
        elif arguments.qwen2:
            make_qwen2(model)
        else:
            make_model(MODELS_CACHE, arguments.layers, model)
        for shape in shapes:
            for kl in arguments.kl:
                task = make_task(model, shape, kl, arguments)
                report = run_case(task, shape, names, arguments.rounds)
                if not arguments.no_memory:
                    measured = [OURS] if arguments.smoke else names
                    report.peak_bytes = {name: peak_memory_in_own_process(name, shape, task) for name in measured}
                print_report(report)
                reports.append(report)
    return reports


def main() -> int:
    arguments = parse_arguments()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    disable_progress_bar()
    use_deterministic_arithmetic(int(os.environ["OMP_NUM_THREADS"]))
    shapes = [shape for shape in (*SHAPES, SMOKE) if shape.name in arguments.shape]
    if arguments.memory_of:
        task = make_task(arguments.model, shapes[0], arguments.kl[0], arguments)
        print(peak_memory(arguments.memory_of, task))
        return 0
    try:
        reports = run_cases(arguments, shapes)
    except NotEqual as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(report) for report in reports], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
