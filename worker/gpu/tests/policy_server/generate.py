"""Generations as comparable values: floats are compared by their bits."""

from collections.abc import Sequence
from dataclasses import replace

from flow_grpo.policy_server.engine import Engine, Generation, GenerationRequest
from flow_grpo.policy_server.policies import LoadedPolicy

TIMEOUT_S = 120


def generate(engine: Engine, policy: LoadedPolicy, requests: Sequence[GenerationRequest]) -> list[Generation]:
    """Submit all at once; the generations in the same order."""
    futures = [engine.submit(request, policy) for request in requests]
    return [future.result(TIMEOUT_S) for future in futures]


def generate_alone(engine: Engine, policy: LoadedPolicy, request: GenerationRequest) -> Generation:
    """Generate with nothing cached and nobody else."""
    policy.runtime.forget_cache()
    return generate(engine, policy, [request])[0]


def request(prompt: list[int], seed: int = 0, max_tokens: int = 6, temperature: float = 1.0) -> GenerationRequest:
    return GenerationRequest(prompt, max_tokens, temperature, seed)


def bits(generation: Generation) -> Generation:
    """The generation with its floats as hexadecimal text, which is equal exactly when the bits are."""
    return replace(generation, logprobs=[logprob.hex() for logprob in generation.logprobs])
