"""What is sampled: the planner calls of one training step, as token ids."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerFast

# The quickstart's (examples/quickstart.yaml).
MAX_TOKENS = 20
TEMPERATURE = 0.7

PROMPTS = Path(__file__).parent / "prompts.mjs"


@dataclass(frozen=True)
class Workload:
    """turns[t][i]: the prompt of rollout i in turn t, token ids. Turn t + 1 begins when all of turn t has ended."""

    turns: tuple[list[list[int]], ...]
    end_token: int

    def first(self, rollouts: int) -> "Workload":
        """The same with the first so many rollouts only."""
        return Workload(tuple(turn[:rollouts] for turn in self.turns), self.end_token)

    def __str__(self) -> str:
        return "; ".join(
            f"turn {number}: {len(turn)} prompts of {min(map(len, turn))} to {max(map(len, turn))} tokens, "
            f"{sum(map(len, turn))} in all, {_distinct_prefixes(turn)} distinct prefixes"
            for number, turn in enumerate(self.turns, 1)
        )


def read_workload(tokenizer: PreTrainedTokenizerFast) -> Workload:
    """Ask the agent worker's own code for the prompts and encode them as the policy server does."""
    done = subprocess.run(["node", PROMPTS], stdout=subprocess.PIPE, text=True, check=True)
    turns = json.loads(done.stdout)["turns"]
    end = tokenizer.convert_tokens_to_ids(str(tokenizer.eos_token))
    assert isinstance(end, int), "the policy server refuses a model whose end token is not one token"
    return Workload(tuple([_encode(tokenizer, messages) for messages in turn] for turn in turns), end)


def _encode(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, str]]) -> list[int]:
    text = str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _distinct_prefixes(prompts: list[list[int]]) -> int:
    return len({tuple(prompt[: end + 1]) for prompt in prompts for end in range(len(prompt))})
