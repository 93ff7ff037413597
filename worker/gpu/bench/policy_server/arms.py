"""Who samples: the policy server's engine, transformers' padded `generate`, transformers' continuous batching.

All in this process: the same weights in fp32, threads and environment (flow_grpo/torch_environment.py). Sampling is by
temperature alone; transformers returns no log-probabilities here, which the policy server always makes.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from bench.policy_server.workload import MAX_TOKENS, TEMPERATURE
from flow_grpo.policy_server.engine import Engine, Generation, GenerationRequest
from flow_grpo.policy_server.policies import LoadedPolicy


class Arm(ABC):
    """One way to sample."""

    name: str

    @abstractmethod
    def forget(self) -> None:
        """Drop what earlier rounds have cached: every step has a new policy. Not timed."""

    @abstractmethod
    def sample(self, prompts: list[list[int]]) -> list[list[int]]:
        """One answer for each prompt: its tokens, the end token included, at most MAX_TOKENS."""


class PolicyServerArm(Arm):
    """The policy server's engine, without HTTP. `generations` holds what it has sampled since `forget`."""

    name = "policy server"

    def __init__(self, policy: LoadedPolicy, threads: int) -> None:
        self.policy = policy
        self.engine = Engine(threads)
        self.generations: list[Generation] = []

    def forget(self) -> None:
        self.policy.runtime.forget_cache()
        self.generations = []

    def sample(self, prompts: list[list[int]]) -> list[list[int]]:
        first = len(self.generations)
        futures = [
            self.engine.submit(self.request(prompt, first + index), self.policy) for index, prompt in enumerate(prompts)
        ]
        self.generations += [future.result() for future in futures]
        return [generation.token_ids for generation in self.generations[first:]]

    @staticmethod
    def request(prompt: list[int], seed: int) -> GenerationRequest:
        return GenerationRequest(prompt, MAX_TOKENS, TEMPERATURE, seed)


class PaddedArm(Arm):
    """transformers' `generate`: one batch, padded on the left."""

    name = "generate, padded"

    def __init__(self, directory: Path, end_token: int) -> None:
        self.model = load_model(directory)
        self._end = end_token
        self._settings = sampling_settings(end_token)

    def forget(self) -> None:
        pass

    @torch.inference_mode()
    def sample(self, prompts: list[list[int]]) -> list[list[int]]:
        width = max(map(len, prompts))
        pads = [width - len(prompt) for prompt in prompts]
        ids = torch.tensor([[self._end] * pad + prompt for pad, prompt in zip(pads, prompts, strict=True)])
        mask = torch.tensor([[0] * pad + [1] * (width - pad) for pad in pads])
        out = self.model.generate(ids, attention_mask=mask, generation_config=self._settings)
        return [self._answer(row) for row in out[:, width:].tolist()]

    def _answer(self, row: list[int]) -> list[int]:
        return row[: row.index(self._end) + 1] if self._end in row else row


class ContinuousArm(Arm):
    """transformers' continuous batching, as shipped for CPU: paged cache with prefix sharing, `sdpa` attention."""

    name = "continuous batching"

    def __init__(self, directory: Path, end_token: int, config: ContinuousBatchingConfig) -> None:
        self._model = load_model(directory)
        self._settings = sampling_settings(end_token)
        self._config = config
        self._manager: Any = None

    def forget(self) -> None:
        self.close()
        self._manager = self._model.init_continuous_batching(self._settings, self._config)
        self._manager.start()
        # The manager allocates its cache when the first request comes.
        self.sample([[self._settings.eos_token_id]])

    def close(self) -> None:
        if self._manager:
            self._manager.stop(block=True)

    def sample(self, prompts: list[list[int]]) -> list[list[int]]:
        order = self._manager.add_requests(prompts)
        answers: dict[str, list[int]] = {}
        while len(answers) < len(prompts):
            output = self._manager.get_result(timeout=1)
            if output is None:
                assert self._manager.is_running(), "transformers' generation thread has ended"
            elif output.error:
                raise RuntimeError(f"continuous batching failed: {output.error}")
            elif output.is_finished():
                answers[output.request_id] = output.generated_tokens
        return [answers[request] for request in order]


def load_model(directory: Path) -> Any:
    """The base model by transformers, fp32."""
    return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").eval()


def sampling_settings(end_token: int) -> GenerationConfig:
    """Temperature only (top-k and top-p off), at most MAX_TOKENS."""
    return GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=0,
        top_p=1.0,
        max_new_tokens=MAX_TOKENS,
        eos_token_id=end_token,
        pad_token_id=end_token,
    )
