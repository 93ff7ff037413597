"""The gradient step as it is written when speed is no concern: padded rows, plain transformers and PEFT.

The head is computed at the response's positions only; attention needs no mask, because padding is on the right.
"""

from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM

from bench.gradient_step.cases import RESPONSE_LIMIT
from bench.gradient_step.trl import MakeAdapter, adapter_parameters, peft_configuration
from flow_grpo.trainer.actions import Actions, make_actions
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.objectives.objective import LogProbs
from flow_grpo.trainer.sample import Sample


class NaiveStep:
    """The passes of one step over given samples, `batch_rows` at once."""

    def __init__(
        self,
        model: Path,
        samples: tuple[Sample, ...],
        training: FlowGrpo,
        adapter: MakeAdapter,
        batch_rows: int,
        device: torch.device,
    ) -> None:
        dtype = torch.float32 if device.type == "cpu" else getattr(torch, training.dtype)
        base: Any = AutoModelForCausalLM.from_pretrained(model, dtype=dtype, local_files_only=True)
        base.to(device)
        assert training.weights.kind == "lora"
        self._model: Any = get_peft_model(base, peft_configuration(training.weights)).eval()
        self.parameters = adapter_parameters(self._model, adapter)
        self._training = training
        self._device = device
        taught, actions = make_actions(samples, training, RESPONSE_LIMIT)
        self._parts = [
            ([taught[int(index)] for index in part], actions.select(torch.isin(actions.sample, part)).to(device))
            for part in torch.arange(len(taught)).split(batch_rows)
        ]

    def accumulate_gradient(self) -> None:
        """Add the gradient of the loss to the adapter's parameters: reference pass, forward and backward."""
        for samples, actions in self._parts:
            reference = None
            if self._training.kl.coefficient:
                with torch.no_grad(), self._model.disable_adapter():
                    reference = self._logprobs(samples)
            self._differentiate(self._logprobs(samples), reference, actions)

    def _differentiate(self, logprob: torch.Tensor, reference: torch.Tensor | None, actions: Actions) -> None:
        logprobs = LogProbs(logprob, logprob.detach(), reference)
        terms = self._training.terms(logprobs, torch.zeros_like(logprob), actions)
        (-terms.objective.sum()).backward()

    def _logprobs(self, samples: list[Sample]) -> torch.Tensor:
        """(M,) of the samples' tokens."""
        ids = pad_sequence([torch.tensor(sample.tokens) for sample in samples], batch_first=True).to(self._device)
        hidden = self._model.base_model.model.model(input_ids=ids, use_cache=False).last_hidden_state
        at = [(row, len(s.prompt) - 1 + j) for row, s in enumerate(samples) for j in range(len(s.response))]
        row, place = torch.tensor(at, device=self._device).T
        logits = self._model.base_model.model.lm_head(hidden[row, place]).float()
        tokens = torch.tensor([token for sample in samples for token in sample.response], device=self._device)
        return torch.log_softmax(logits, dim=-1)[torch.arange(len(tokens), device=self._device), tokens]
