"""What must hold for the figures to mean anything: one model on all sides, and answers that no company changes."""

from typing import Any

import torch

from bench.policy_server.arms import PolicyServerArm
from bench.policy_server.rounds import sample_round
from bench.policy_server.workload import TEMPERATURE, Workload
from flow_grpo.policy_server.engine import Generation

# Every so many answers are checked: one of each group, in each turn.
EVERY = 8


def check(arm: PolicyServerArm, model: Any, workload: Workload) -> None:
    """Samples the step, compares, prints. `model` is transformers' own. Raises AssertionError where company matters."""
    sample_round(arm, workload)
    prompts = [prompt for turn in workload.turns for prompt in turn][::EVERY]
    together = arm.generations[::EVERY]
    difference = max(map(lambda *pair: _difference(model, *pair), prompts, together))
    print(f"log-probabilities of {len(together)} answers differ from transformers' by {difference:.1e} at most")
    alone = [_alone(arm, prompt, EVERY * index) for index, prompt in enumerate(prompts)]
    assert list(map(_bits, alone)) == list(map(_bits, together)), "an answer depends on what was sampled beside it"
    print(f"{len(together)} answers sampled alone, with nothing cached: the same tokens and log-probabilities, bitwise")


@torch.inference_mode()
def _difference(model: Any, prompt: list[int], generation: Generation) -> float:
    """Largest difference of a log-probability from transformers'."""
    answer = torch.tensor(generation.token_ids)
    sequence = torch.cat([torch.tensor(prompt), answer])
    logits = model(sequence[None, :-1], logits_to_keep=len(answer)).logits[0]
    expected = torch.log_softmax(logits.double() / TEMPERATURE, dim=-1).gather(1, answer[:, None])[:, 0]
    return float((expected - torch.tensor(generation.logprobs, dtype=torch.float64)).abs().max())


def _alone(arm: PolicyServerArm, prompt: list[int], seed: int) -> Generation:
    arm.forget()
    return arm.engine.submit(arm.request(prompt, seed), arm.policy).result()


def _bits(generation: Generation) -> tuple[list[int], list[str]]:
    """Tokens, and log-probabilities as text that is equal exactly where the bits are."""
    return generation.token_ids, [logprob.hex() for logprob in generation.logprobs]
