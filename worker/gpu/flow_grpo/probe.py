"""What a policy server must report for a registered base model: python -m flow_grpo.probe

Prints JSON on stdout, for a server that this project does not compute itself (docs/vllm.md). Without token ids it is a
reference: prompts with the likeliest next tokens and their log-probabilities, once at the temperature and once before
it, so that a reader can tell a server that ignores the temperature from one that holds other weights. With token ids it
is the log-probability of each of them after the prompt.

The model is computed as the trainer computes it: transformers, fp32, the weights checked against their sha256.
"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import AliasGenerator, BaseModel, ConfigDict
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from flow_grpo.base_model import (
    UnknownModel,
    base_model_sha256,
    ensure_base_model,
    load_tokenizer,
    read_base_model,
    registered_model,
)
from flow_grpo.environment import BadEnvironment, parse_environment
from flow_grpo.model_directory import ModelDirectoryError

REPOSITORY = Path(__file__).parents[3]

FORMAT = 1

TEMPERATURE = 0.5

# As many as servers report without being told to report more.
TOKENS = 20

# Mean distance in nats between the two temperatures: below it, a server's rounding could hide a wrong temperature.
SEPARATION = 0.45

# Questions with several likely answers, some of whose tokens stand in the prompt: so that a temperature, a cut of the
# improbable tokens and a penalty on repeated ones all show.
PROMPTS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("user", "Name one colour: red, green, blue, yellow, black or white."),),
    (("user", "Continue the list: apple, pear, plum, apple, pear, plum, apple,"),),
    (("user", "Pick a number between 10 and 99 and write nothing else."),),
    (
        ("system", "Answer with one word."),
        (
            "user",
            "A cat, a dog and a horse live on a farm. Which of them do you like best: the cat, the dog or the horse?",
        ),
    ),
    (("user", "Write the first line of a poem about the sea."),),
)


class Indistinct(Exception):
    """The model's answers at the temperature are too close to those before it for a comparison to mean anything."""


class Settings(BaseModel):
    """Typed environment of the command."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=AliasGenerator(
            validation_alias={
                "models_cache": "AGENTFLOW_MODELS_CACHE",
                "operator_file": "AGENTFLOW_OPERATOR_FILE",
            }.__getitem__
        ),
    )

    models_cache: Path
    """Directory of the base models."""

    operator_file: Path = REPOSITORY / "infra" / "local" / "operator.yaml"
    """The operator's file, which registers models by name."""


class BaseModelProbe:
    """A base model in memory, for single forward passes."""

    def __init__(self, directory: Path) -> None:
        """Raises BaseModelBroken when the weights are not those that were made."""
        read_base_model(directory)
        self.sha256 = base_model_sha256(directory)
        self._tokenizer: PreTrainedTokenizerFast = load_tokenizer(directory)
        model: Any = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, local_files_only=True)
        self._model = model.train(False)

    def prompt_token_ids(self, messages: list[dict[str, str]]) -> list[int]:
        """The chat template applied and opened for the answer, as the policy server does it."""
        text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return list(self._tokenizer(str(text), add_special_tokens=False)["input_ids"])

    def token_logprobs(self, prompt: Sequence[int], tokens: Sequence[int], temperature: float) -> list[float]:
        """Log-probability of each token after the prompt and the tokens before it, at the temperature."""
        logits = self._logits([*prompt, *tokens])[len(prompt) - 1 : -1]
        logprobs = torch.log_softmax(logits / temperature, dim=-1)
        return [logprobs[index, token].item() for index, token in enumerate(tokens)]

    def likeliest(self, prompt: Sequence[int], temperature: float) -> list[dict[str, float]]:
        """The TOKENS likeliest next tokens: `id`, `logprob` at the temperature, `raw_logprob` before it."""
        logits = self._logits(prompt)[-1]
        raw = torch.log_softmax(logits, dim=-1)
        top = torch.log_softmax(logits / temperature, dim=-1).topk(min(TOKENS, len(logits)))
        return [
            {"id": token, "logprob": logprob, "raw_logprob": raw[token].item()}
            for token, logprob in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        ]

    def _logits(self, tokens: Sequence[int]) -> torch.Tensor:
        """fp64 logits (tokens, vocabulary) of what follows each token."""
        with torch.no_grad():
            return self._model(input_ids=torch.tensor([list(tokens)])).logits[0].double()


def reference(model: BaseModelProbe, name: str, temperature: float = TEMPERATURE) -> dict[str, Any]:
    """The reference of a model for a policy server. Raises Indistinct."""
    prompts = [
        _prompt(model, [{"role": role, "content": text} for role, text in turns], temperature) for turns in PROMPTS
    ]
    separation = sum(_separation(prompt["tokens"]) for prompt in prompts) / len(prompts)
    if separation < SEPARATION:
        raise Indistinct(
            f"{name}: temperature {temperature} moves the log-probs by {separation:.2f} nats only, "
            f"and {SEPARATION} are needed to see whether a server applies it"
        )
    return {
        "format": FORMAT,
        "model": name,
        "model_sha256": model.sha256,
        "temperature": temperature,
        "prompts": prompts,
    }


def _prompt(model: BaseModelProbe, messages: list[dict[str, str]], temperature: float) -> dict[str, Any]:
    ids = model.prompt_token_ids(messages)
    return {"messages": messages, "prompt_token_ids": ids, "tokens": model.likeliest(ids, temperature)}


def _separation(tokens: list[dict[str, float]]) -> float:
    """Mean distance between the log-probs at the temperature and before it, weighted by the probabilities."""
    weights = torch.tensor([token["logprob"] for token in tokens], dtype=torch.float64).softmax(0)
    distance = torch.tensor([abs(token["logprob"] - token["raw_logprob"]) for token in tokens], dtype=torch.float64)
    return (weights * distance).sum().item()


def _token_ids(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flow_grpo.probe", description="Reference for a policy server.")
    parser.add_argument("--model", required=True, help="registered name of the base model")
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--prompt-ids", type=_token_ids, help="comma-separated; with --token-ids")
    parser.add_argument("--token-ids", type=_token_ids, help="print the log-probs of these instead of a reference")
    arguments = parser.parse_args(argv)
    if (arguments.prompt_ids is None) != (arguments.token_ids is None):
        parser.error("--prompt-ids and --token-ids belong together")
    if arguments.temperature <= 0:
        parser.error("--temperature must be above 0")
    return arguments


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the JSON. Returns the exit code: 2 for a bad environment or model."""
    arguments = _arguments(argv)
    try:
        settings = parse_environment(Settings, environment)
        registered = registered_model(settings.operator_file, arguments.model)
        model = BaseModelProbe(ensure_base_model(registered.source, settings.models_cache))
        if arguments.token_ids is None:
            answer = reference(model, arguments.model, arguments.temperature)
        else:
            logprobs = model.token_logprobs(arguments.prompt_ids, arguments.token_ids, arguments.temperature)
            answer = {"model": arguments.model, "temperature": arguments.temperature, "logprobs": logprobs}
    except (BadEnvironment, ModelDirectoryError, UnknownModel, Indistinct) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(answer, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
