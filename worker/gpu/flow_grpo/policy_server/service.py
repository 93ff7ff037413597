"""From a request to a generation: policy, prompt, log, engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from flow_grpo.policy_server.api_errors import ApiError, context_length_exceeded
from flow_grpo.policy_server.api_types import ChatRequest, CompletionRequest, SamplingRequest
from flow_grpo.policy_server.engine import Engine, Generation, GenerationRequest
from flow_grpo.policy_server.policies import LoadedPolicy, PolicyStore
from flow_grpo.policy_server.request_log import RequestLog
from flow_grpo.policy_server.runtime import ModelRuntime


@dataclass(frozen=True)
class Served:
    """A generation with the policy and the prompt that it came from."""

    policy: LoadedPolicy
    prompt: list[int]
    generation: Generation


class GenerationService:
    """Serves requests on the policies of a store."""

    def __init__(self, policies: PolicyStore, engine: Engine, log: RequestLog) -> None:
        self.policies = policies
        self.engine = engine
        self._log = log

    async def generate(self, request: ChatRequest | CompletionRequest) -> Served:
        """Serve a request. Cancelling the call drops its row. Raises what `api_errors.from_exception` knows."""
        async with self._policy(request) as policy:
            prompt = prompt_tokens(policy.runtime, request)
            wanted = _sampling(policy.runtime, request, prompt)
            metadata = request.metadata
            self._log.append(policy.name, policy.sha256, metadata.flow_id, metadata.turn, request.seed, len(prompt))
            generation = await asyncio.wrap_future(self.engine.submit(wanted, policy))
            return Served(policy, prompt, generation)

    @asynccontextmanager
    async def _policy(self, request: SamplingRequest) -> AsyncIterator[LoadedPolicy]:
        # In a thread, because the first request for a policy reads and merges it.
        acquiring = asyncio.ensure_future(
            asyncio.to_thread(self.policies.acquire, request.model, request.policy_sha256)
        )
        try:
            policy = await asyncio.shield(acquiring)
        except asyncio.CancelledError:
            # The thread goes on; what it acquires is given back.
            acquiring.add_done_callback(self._release_acquired)
            raise
        try:
            yield policy
        finally:
            self.policies.release(policy)

    def _release_acquired(self, acquired: "asyncio.Future[LoadedPolicy]") -> None:
        if not acquired.cancelled() and acquired.exception() is None:
            self.policies.release(acquired.result())


def prompt_tokens(runtime: ModelRuntime, request: ChatRequest | CompletionRequest) -> list[int]:
    """The prompt's token ids: the chat template applied and opened for the answer, or the prompt as it is."""
    if isinstance(request, ChatRequest):
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        text = runtime.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return _encode(runtime, str(text))
    if isinstance(request.prompt, str):
        return _encode(runtime, request.prompt)
    for token in request.prompt:
        if token >= runtime.vocabulary:
            raise ApiError(400, f"token id {token} is not below {runtime.vocabulary}", "invalid_value", "prompt")
    return request.prompt


def _encode(runtime: ModelRuntime, text: str) -> list[int]:
    return list(runtime.tokenizer(text, add_special_tokens=False)["input_ids"])


def _sampling(runtime: ModelRuntime, request: SamplingRequest, prompt: list[int]) -> GenerationRequest:
    context = runtime.model.context
    max_tokens = request.max_tokens or max(1, context - len(prompt))
    if len(prompt) + max_tokens > context:
        raise context_length_exceeded(len(prompt), max_tokens, context)
    return GenerationRequest(prompt, max_tokens, request.temperature, request.seed)
