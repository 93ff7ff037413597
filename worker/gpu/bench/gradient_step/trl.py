"""TRL's GRPOTrainer driven over given samples: the opponent of the benchmark and of the parity tests.

No generation takes place: a rollout function returns the samples' token ids. The methods used are internals of TRL,
which is why its version is pinned. What differs from our trainer and is made equal here:

- One sample (a planner turn with its own prompt) is one row. TRL's groups are consecutive rows of equal count, so the
  rows of a group's turn form one group of TRL; all rollouts need the same number of turns.
- TRL divides by std + 1e-4, our trainer by std + 1e-6: `Rows.advantages` replaces TRL's where it is given.
- On a CPU, TRL projects every position through the head, prompts included. `masked_only` makes it do what it does on
  CUDA: project the positions that are scored, and no others.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.utils import split_tensor_dict

from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.sample import Sample

# The rollout function is experimental in TRL: its version is pinned.
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

MakeAdapter = Callable[[Mapping[str, torch.Size]], Mapping[str, torch.Tensor]]
"""An adapter's values from the shapes of its tensors, by PEFT's names."""


@dataclass(frozen=True)
class Rows:
    """Samples in TRL's order: the rows of a group follow one another."""

    samples: Sequence[Sample]
    group_size: int
    advantages: Sequence[float] | None = None
    """Of each row, in place of TRL's own."""
    old_logprobs: bool = False
    """Whether the samples' recorded log-probs are pi_old; else the policy itself is."""


class TrlStep:
    """A GRPOTrainer with a LoRA adapter on a model directory, and the passes of one step over given rows."""

    def __init__(
        self, model: Path, lora: Lora, adapter: MakeAdapter, rows: Rows, batch_rows: int, **options: Any
    ) -> None:
        """`batch_rows`: rows that go through the model at once. `options`: GRPOConfig's, beside what is fixed here."""
        self._rows = rows
        self._micro_batches = len(rows.samples) // batch_rows
        if self._micro_batches * batch_rows != len(rows.samples):
            raise ValueError(f"{len(rows.samples)} rows cannot be cut into batches of {batch_rows}")
        self.trainer = GRPOTrainer(
            model=str(model),
            reward_funcs=self._rewards,
            args=_configuration(rows.group_size, batch_rows, self._micro_batches, options),
            train_dataset=Dataset.from_dict({"prompt": ["x"] * len(rows.samples)}),
            processing_class=_tokenizer(),
            peft_config=peft_configuration(lora),
            rollout_func=self._rollouts,
        )
        self.trainer.current_gradient_accumulation_steps = self._micro_batches
        self.parameters = adapter_parameters(self.trainer.model, adapter)

    def accumulate_gradient(self, masked_only: bool) -> None:
        """Add the gradient of the loss to the adapter's parameters: reference pass, forward and backward."""
        with _head_at_masked_positions() if masked_only else nullcontext():
            for part in split_tensor_dict(self.inputs(), self._micro_batches):
                self.trainer.compute_loss(self.trainer.model, part).backward()

    def inputs(self) -> dict[str, Any]:
        """What TRL makes of the rows before the first forward pass with a gradient: padded, scored, normalised."""
        inputs = self.trainer._generate_and_score_completions([{"prompt": "x"} for _ in self._rows.samples])
        if self._rows.advantages is not None:
            inputs["advantages"] = torch.tensor(self._rows.advantages, dtype=torch.float32)
        if self._rows.old_logprobs:
            inputs["old_per_token_logps"] = self._padded_logprobs(inputs["completion_ids"].shape)
        return inputs

    def clear_gradient(self) -> None:
        """Forget accumulated gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def _padded_logprobs(self, shape: torch.Size) -> torch.Tensor:
        padded = torch.zeros(shape)
        for row, sample in enumerate(self._rows.samples):
            padded[row, : len(sample.logprobs)] = torch.tensor(sample.logprobs)
        return padded

    def _rollouts(self, _prompts: list[str], _trainer: GRPOTrainer) -> dict[str, Any]:
        samples = self._rows.samples
        return {
            "prompt_ids": [list(sample.prompt) for sample in samples],
            "completion_ids": [list(sample.response) for sample in samples],
            "logprobs": [list(sample.logprobs) for sample in samples],
        }

    def _rewards(self, **_unused: Any) -> list[float | None]:
        return [sample.reward for sample in self._rows.samples]


def rows_by_turn(samples: Sequence[Sample]) -> list[Sample]:
    """The samples by (group, turn, rollout): the rows of a turn of a group are one group of TRL."""
    return sorted(samples, key=lambda sample: (sample.group, sample.turn, sample.rollout))


def _configuration(group_size: int, batch_rows: int, micro_batches: int, options: Mapping[str, Any]) -> GRPOConfig:
    fixed: dict[str, Any] = {
        "output_dir": tempfile.gettempdir(),
        "per_device_train_batch_size": batch_rows,
        "gradient_accumulation_steps": micro_batches,
        "num_generations": group_size,
        "activation_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "disable_dropout": True,
        "report_to": "none",
        "model_init_kwargs": {"dtype": torch.float32, "local_files_only": True},
    }
    return GRPOConfig(**{**fixed, **options})


def peft_configuration(lora: Lora) -> LoraConfig:
    """The adapter's shape in PEFT's words."""
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # pyright: ignore[reportArgumentType]  # PEFT takes fractions too
        target_modules=list(lora.targets),
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )


def _tokenizer() -> PreTrainedTokenizerFast:
    # Token ids are given; TRL only decodes them for its logs and asks for the ids of padding and end.
    words = Tokenizer(WordLevel({"x": 0, "<pad>": 1, "<eos>": 2, "<unk>": 3}, unk_token="<unk>"))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def adapter_parameters(model: Any, make_adapter: MakeAdapter) -> dict[str, torch.nn.Parameter]:
    """The trainable parameters of a PEFT model by PEFT's names in files, with an adapter's values copied in."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    found = {name.replace(".default.", "."): parameter for name, parameter in trained.items()}
    adapter = make_adapter({name: parameter.shape for name, parameter in found.items()})
    with torch.no_grad():
        for name, parameter in found.items():
            parameter.copy_(adapter[name])
    return found


@contextmanager
def _head_at_masked_positions() -> Iterator[None]:
    # TRL asks this function whether to leave out the positions that are not scored.
    with mock.patch("trl.trainer.utils._use_triton", return_value=True):
        yield
