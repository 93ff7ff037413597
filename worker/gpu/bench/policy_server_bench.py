"""How fast the policy server samples a training step's rollouts, beside transformers' padded generate.

The workload: Q questions x G rollouts, two turns; prompts share the instructions, a question's share the question, and
second turns end in a memory of their own. In-process, greedy never: temperature 1, counter-based seeds.

    python bench/policy_server_bench.py --models-cache DIR [--source smollm2] [--questions 8] [--rollouts 8] [--compare]
"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import argparse
import os
import time
from dataclasses import dataclass
from typing import Any

import torch

from flow_grpo.base_model import RegisteredModel, ensure_base_model
from flow_grpo.policy_server.engine import Engine, Generation, GenerationRequest
from flow_grpo.policy_server.policies import LoadedPolicy, PolicyStore
from flow_grpo.policy_server.row_threads import RowThreads

MAX_TOKENS = 20
SYSTEM = (
    "You choose the next tool call. Answer with one line, the tool's name, a colon and its input.\nTools:\n"
    "- Calculator: evaluates arithmetic such as 12*7\n- Lookup: finds a fact about a place\n"
    "- Generator: answers from general knowledge"
)
EXAMPLES = [
    ("What is the height of Oslo?", "none", "Lookup: height of Oslo"),
    ("What is 12 times 7?", "none", "Calculator: 12 * 7"),
    ("What is the area of Rome plus 5?", "none", "Lookup: area of Rome"),
    ("What is the height of Oslo minus 9?", "Lookup(height of Oslo) = 23", "Calculator: 23 - 9"),
]


@dataclass
class Turn:
    """What one turn of all rollouts took."""

    prompt_tokens: int
    sampled_tokens: int
    rows: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        total = self.prompt_tokens + self.sampled_tokens
        return (
            f"{self.seconds:6.2f} s ({self.cpu_seconds:5.2f} s of processor), {self.prompt_tokens} prompt and "
            f"{self.sampled_tokens} sampled tokens, {self.rows} rows computed; "
            f"{self.sampled_tokens / self.seconds:.0f} sampled and {total / self.seconds:.0f} tokens/s"
        )


def render(policy: LoadedPolicy, question: str, results: str) -> list[int]:
    """Token ids of a planner prompt: what is shared first, memory last."""
    messages = [{"role": "system", "content": SYSTEM}]
    for q, r, answer in [*EXAMPLES, (question, results, None)]:
        messages.append({"role": "user", "content": f"Question: {q}\nResults: {r}"})
        messages += [{"role": "assistant", "content": answer}] if answer else []
    tokenizer = policy.runtime.tokenizer
    text = str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def sample_turn(engine: Engine, policy: LoadedPolicy, prompts: list[list[int]]) -> tuple[Turn, list[Generation]]:
    rows, started, cpu = engine.statistics.rows, time.perf_counter(), time.process_time()
    requests = [GenerationRequest(prompt, MAX_TOKENS, 1.0, seed) for seed, prompt in enumerate(prompts)]
    futures = [engine.submit(request, policy) for request in requests]
    answers = [future.result() for future in futures]
    turn = Turn(
        sum(map(len, prompts)),
        sum(len(answer.token_ids) for answer in answers),
        engine.statistics.rows - rows,
        time.perf_counter() - started,
        time.process_time() - cpu,
    )
    return turn, answers


def measure(policy: LoadedPolicy, threads: int, questions: list[str], rollouts: int) -> list[list[int]]:
    """Print both turns, cold and with instructions and questions cached; returns the second turn's prompts."""
    engine = Engine(threads)
    policy.runtime.forget_cache()
    first = [render(policy, question, "none") for question in questions for _ in range(rollouts)]
    turn, answers = sample_turn(engine, policy, first)
    print("turn 1:", turn)
    texts = [str(policy.runtime.tokenizer.decode(answer.token_ids, skip_special_tokens=True)) for answer in answers]
    asked = [question for question in questions for _ in range(rollouts)]
    pairs = enumerate(zip(asked, texts, strict=True))
    second = [render(policy, question, f"{text.splitlines()[0]} = {997 * i}") for i, (question, text) in pairs]
    turn, _ = sample_turn(engine, policy, second)
    print("turn 2:", turn)
    engine.close()
    return second


def compare(directory: Path, prompts: list[list[int]]) -> None:
    """Print what transformers takes to sample from the same prompts, left-padded, in one batch."""
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    started, cpu = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        out = model.generate(ids, attention_mask=mask, do_sample=True, max_new_tokens=MAX_TOKENS, pad_token_id=2)
    answers = out[:, width:]
    sampled = int((answers != 2).sum()) + len(prompts)
    taken = Turn(sum(map(len, prompts)), sampled, 0, time.perf_counter() - started, time.process_time() - cpu)
    print("turn 2 by transformers:", taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models-cache", type=Path, required=True)
    parser.add_argument("--source", default="smollm2")
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--rollouts", type=int, default=8)
    parser.add_argument("--compare", action="store_true", help="also by transformers' generate")
    arguments = parser.parse_args()
    threads = int(os.environ["OMP_NUM_THREADS"])
    torch.set_num_threads(threads)
    models = {"model": RegisteredModel("model", arguments.source, 2048)}
    store = PolicyStore(models, Path("/"), arguments.models_cache, 2**30, 1, RowThreads(threads))
    questions = [f"What is the area of Hexley{i} times {i + 2}?" for i in range(arguments.questions)]
    second = measure(store.base("model"), threads, questions, arguments.rollouts)
    if arguments.compare:
        compare(ensure_base_model(arguments.source, arguments.models_cache), second)


if __name__ == "__main__":
    main()
