"""Measures the memory of one gradient step in a process of its own: python -m tests.trainer.measured_step JSON

JSON: `config`, of a Llama; `training`, what differs from the tests' hyper-parameters. Prints bytes beyond those of the
process before the model was made.
"""

import json
import random
import re
import sys
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from flow_grpo.trainer.lora import initial_adapter
from flow_grpo.trainer.memory import STATUS, PeakMemory
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.state import initial_state
from flow_grpo.trainer.step import StepInputs, take_step
from tests.trainer.run import no_progress
from tests.trainer.samples import in_memory, sample, training


def resident() -> int:
    """Bytes of this process in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", STATUS.read_text())
    return int(found[1]) * 1024 if found else 0


def planner(config: dict[str, Any], hyper: Any) -> Planner:
    """A model with random weights."""
    model = LlamaForCausalLM(LlamaConfig(**config))
    model.set_attn_implementation("prefix_tree")
    return Planner(model, "measured", hyper.weights, base={})


def main(request: dict[str, Any]) -> None:
    """Take a small step, which loads and warms everything, then the step whose prefix tree fills the micro-batch."""
    torch.set_num_threads(1)
    hyper = training(**request["training"])
    rng, vocabulary = random.Random(0), request["config"]["vocab_size"]

    def batch(tokens: int) -> Any:
        lengths = [tokens // 2, tokens - tokens // 2 - 4]
        rows = [[rng.randrange(vocabulary) for _ in range(length)] for length in lengths]
        return in_memory([sample(0, i, 1, row[:4], row[4:], float(i)) for i, row in enumerate(rows)], hyper)

    small = planner({**request["config"], "num_hidden_layers": 1}, hyper)
    take_step(
        small, initial_state("r", hyper.weights, initial_adapter(small.shapes(), 1)), StepInputs(batch(64)), no_progress
    )
    del small
    before = resident()
    whole = planner(request["config"], hyper)
    state = initial_state("r", hyper.weights, initial_adapter(whole.shapes(), 1))
    inputs, memory = StepInputs(batch(hyper.micro_batch_tokens)), PeakMemory()
    take_step(whole, state, inputs, no_progress)
    print(memory.read() - before)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
