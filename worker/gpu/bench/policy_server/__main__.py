"""Samples a training step's rollouts by every arm, in turns, and prints rates, ratios and the engine's own limit.

npm run bench:policy-server -- [--rounds 5]
npm run bench:policy-server -- --smoke    a tiny model, two rollouts, one round: whether it runs, not how fast it is
"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import argparse
import os
from pathlib import Path

import torch
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.utils import logging as transformers_logging

from bench.policy_server.arms import ContinuousArm, PaddedArm, PolicyServerArm
from bench.policy_server.checks import check
from bench.policy_server.clock import clocked_round
from bench.policy_server.report import machine, print_limit, print_rates
from bench.policy_server.rounds import sample_rounds
from bench.policy_server.workload import read_workload
from flow_grpo.base_model import RegisteredModel, ensure_base_model
from flow_grpo.policy_server.policies import PolicyStore
from flow_grpo.policy_server.row_threads import RowThreads

ROOT = Path(__file__).parents[4]
MODEL = RegisteredModel("smollm2-135m-instruct", "smollm2", 2048)
SMOKE_MODEL = RegisteredModel("tiny-random", "tiny-random", 2048)
CACHE_BYTES = 2**30
SMOKE_ROLLOUTS = 2

# The fastest of those tried on two cores (docs/performance.md).
CONTINUOUS = ContinuousBatchingConfig(page_size=16, num_blocks=2048, max_batch_tokens=256, max_requests_per_batch=16)


def main() -> None:
    arguments = _arguments()
    rounds = 1 if arguments.smoke else arguments.rounds
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    threads = int(os.environ["OMP_NUM_THREADS"])
    torch.set_num_threads(threads)
    models_cache = ROOT / ".cache" / "models"
    model = SMOKE_MODEL if arguments.smoke else MODEL
    directory = ensure_base_model(model.source, models_cache)
    store = PolicyStore({model.name: model}, Path("/"), models_cache, CACHE_BYTES, 1, RowThreads(threads))
    policy = store.base(model.name)
    workload = read_workload(policy.runtime.tokenizer)
    if arguments.smoke:
        workload = workload.first(SMOKE_ROLLOUTS)
    print(machine(threads), workload, sep="\n", flush=True)

    ours = PolicyServerArm(policy, threads)
    padded = PaddedArm(directory, workload.end_token)
    continuous = ContinuousArm(directory, workload.end_token, CONTINUOUS)
    check(ours, padded.model, workload)
    print_rates(sample_rounds((ours, padded, continuous), workload, rounds), ours.name)
    continuous.close()
    clocked = [clocked_round(ours, workload) for _ in range(rounds)]
    print_limit(*max(clocked, key=lambda pair: pair[0].rate), policy.runtime.base)
    ours.engine.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each arm samples the step")
    parser.add_argument("--smoke", action="store_true", help="the smallest shape, once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
