"""Answers of the HTTP API: OpenAI's shapes, with token ids, log-probabilities and the policy's sha256 (I1, I11)."""

from typing import Any

from flow_grpo.policy_server.engine import Generation
from flow_grpo.policy_server.policies import LoadedPolicy

Json = dict[str, Any]


def chat_answer(
    policy: LoadedPolicy, identifier: str, prompt: list[int], generation: Generation, logprobs: bool
) -> Json:
    """Body of POST /v1/chat/completions."""
    tokens = _token_texts(policy, generation)
    pairs = zip(tokens, generation.logprobs, strict=True)
    content = [_token_logprob(token, logprob) for token, logprob in pairs]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": _text(policy, generation)},
        "logprobs": {"content": content} if logprobs else None,
    }
    return _answer("chat.completion", policy, identifier, prompt, generation, choice)


def completion_answer(
    policy: LoadedPolicy, identifier: str, prompt: list[int], generation: Generation, logprobs: bool
) -> Json:
    """Body of POST /v1/completions."""
    legacy = {"tokens": _token_texts(policy, generation), "token_logprobs": generation.logprobs}
    choice = {"index": 0, "text": _text(policy, generation), "logprobs": legacy if logprobs else None}
    return _answer("text_completion", policy, identifier, prompt, generation, choice)


def _answer(
    kind: str, policy: LoadedPolicy, identifier: str, prompt: list[int], generation: Generation, choice: Json
) -> Json:
    sampled = len(generation.token_ids)
    choice |= {
        "finish_reason": generation.finish_reason,
        "token_ids": generation.token_ids,
        "token_logprobs": generation.logprobs,
    }
    return {
        "id": identifier,
        "object": kind,
        # Answers are a function of the request: no clock.
        "created": 0,
        "model": policy.name,
        "policy_sha256": policy.sha256,
        "choices": [choice],
        "prompt_token_ids": prompt,
        "usage": {
            "prompt_tokens": len(prompt),
            "completion_tokens": sampled,
            "total_tokens": len(prompt) + sampled,
        },
    }


def _text(policy: LoadedPolicy, generation: Generation) -> str:
    """The sampled text, without the end token."""
    return str(policy.runtime.tokenizer.decode(generation.token_ids, skip_special_tokens=True))


def _token_texts(policy: LoadedPolicy, generation: Generation) -> list[str]:
    return [str(policy.runtime.tokenizer.decode([token])) for token in generation.token_ids]


def _token_logprob(token: str, logprob: float) -> Json:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode()), "top_logprobs": []}
