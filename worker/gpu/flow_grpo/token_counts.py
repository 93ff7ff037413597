"""How many tokens of a registered model questions add to a prompt: python -m flow_grpo.token_counts MODEL

Reads JSON from standard input: `messages`, a prompt with `placeholder` once in the place of a question, and
`questions`. Prints JSON: the model's `context`, the tokens of the `prompt` without a question, and what each of the
`questions` adds to it. Together they are what the policy server counts.
"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from transformers import PreTrainedTokenizerFast

from flow_grpo.base_model import UnknownModel, find_model, load_tokenizer
from flow_grpo.model_directory import ModelDirectoryError

# Texts that are tokenised at once: the tokenizer shares them out among its threads.
BATCH = 1000


class NotCounted(Exception):
    """The model's tokenizer cannot be read, or its chat template does not take the prompt; the message says why."""


class Request(BaseModel):
    """A prompt with a place for a question, and questions."""

    model_config = ConfigDict(frozen=True)

    messages: list[dict[str, str]]
    placeholder: str
    questions: list[str]


@dataclass(frozen=True)
class Counts:
    """Tokens of the prompt without a question, and what each question adds to it."""

    prompt: int
    questions: list[int]


def count_tokens(tokenizer: PreTrainedTokenizerFast, request: Request) -> Counts:
    """Count the tokens of a prompt and of questions in it. Raises NotCounted."""
    before, after = _around_question(tokenizer, request)
    # White space that is a token of its own joins with more of it: it parts nothing.
    near_before, near_after = _nearest(before, after, [token for token in tokenizer.get_added_vocab() if token.strip()])
    texts = [f"{near_before}{question}{near_after}" for question in request.questions]
    # A blank is part of the word after it: without a question it would be a token of its own.
    prompt, empty = _lengths(tokenizer, [before.rstrip(" ") + after, near_before.rstrip(" ") + near_after])
    return Counts(prompt, [length - empty for length in _lengths(tokenizer, texts)])


def _tokenizer(directory: Path) -> PreTrainedTokenizerFast:
    try:
        return load_tokenizer(directory)
    except (OSError, ValueError) as error:
        raise NotCounted(f"{directory} holds no tokenizer that can be read: {error}") from error


def _nearest(before: str, after: str, added: Sequence[str]) -> tuple[str, str]:
    """What stands around a question up to the nearest added tokens, where a tokenizer parts a text before all else:
    only that much is tokenised once more for each question."""
    start = max((before.rfind(token) for token in added), default=-1)
    ends = [after.find(token) + len(token) for token in added if token in after]
    return before[max(start, 0) :], after[: min(ends, default=len(after))]


def _around_question(tokenizer: PreTrainedTokenizerFast, request: Request) -> tuple[str, str]:
    try:
        text = tokenizer.apply_chat_template(request.messages, add_generation_prompt=True, tokenize=False)
    # A template is a program, and the model's: it may raise anything.
    except Exception as error:
        raise NotCounted(f"its chat template does not take the planner's prompt: {error}") from error
    parts = str(text).split(request.placeholder)
    if len(parts) != 2:
        raise NotCounted(f"its chat template writes the question {len(parts) - 1} times")
    return parts[0], parts[1]


def _lengths(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[int]:
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    batches = (texts[first : first + BATCH] for first in range(0, len(texts), BATCH))
    encoded = (backend.encode_batch_fast(batch, add_special_tokens=False) for batch in batches)
    return [len(encoding) for batch in encoded for encoding in batch]


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the counts. Returns the exit code: 2 if they cannot be had, with the reason in one line."""
    [name] = argv
    request = Request.model_validate_json(sys.stdin.read())
    try:
        directory, context = find_model(name, environment)
        counts = count_tokens(_tokenizer(directory), request)
    except (UnknownModel, ModelDirectoryError, NotCounted, OSError, ValueError) as error:
        print(f"tokens of {name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(json.dumps({"context": context, "prompt": counts.prompt, "questions": counts.questions}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
