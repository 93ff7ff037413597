"""Requests of the HTTP API, in OpenAI's shapes. What cannot be honoured is refused, never ignored (I7)."""

import secrets
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

SEED_LIMIT = 2**64

# Sampling is temperature and seed. Other parameters of the API are taken only with a value that changes nothing.
NEUTRAL_VALUES: dict[str, tuple[Any, ...]] = {
    "top_p": (None, 1),
    "top_k": (None, 0, -1),
    "min_p": (None, 0),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
    "repetition_penalty": (None, 1),
    "n": (None, 1),
    "best_of": (None, 1),
    "stream": (None, False),
    "stop": (None, []),
    "logit_bias": (None, {}),
    "top_logprobs": (None, 0),
    "echo": (None, False),
    "suffix": (None, ""),
    "response_format": (None, {"type": "text"}),
    "tools": (None, []),
}


def _read_seed(value: Any) -> Any:
    """Decimal strings carry the seeds that a JavaScript number cannot hold."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Seed = Annotated[int, BeforeValidator(_read_seed), Field(strict=True, ge=0, lt=SEED_LIMIT)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TokenId = Annotated[int, Field(strict=True, ge=0)]


class Metadata(BaseModel):
    """Who asks, for the request log. Other keys are allowed and not kept."""

    flow_id: str | None = Field(default=None, max_length=1000)
    turn: int | None = None


class SamplingRequest(BaseModel):
    """What both endpoints take. An unknown parameter is an error."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model: str = Field(min_length=1, max_length=200)
    """`<training run>@<step>`, or a base model's registered name."""

    policy_sha256: Sha256 | None = None
    """The policy's identity: required for a policy of a training run, checked wherever it is given."""

    max_tokens: int | None = Field(
        default=None, strict=True, ge=1, validation_alias=AliasChoices("max_tokens", "max_completion_tokens")
    )
    """At most so many tokens are sampled, the end token included. Default: what fits the context."""

    temperature: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    """0 is greedy decoding."""

    seed: Seed = Field(default_factory=lambda: secrets.randbits(64))
    """Unsigned, 64 bits; an integer or its decimal string. Without one the server draws it, and logs it."""

    logprobs: bool | None = None
    """Log-probabilities of the sampled tokens in OpenAI's form too; `token_logprobs` always has them."""

    return_token_ids: bool = True
    user: str | None = None
    metadata: Metadata = Metadata()

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_not_neutral(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        for name, neutral in NEUTRAL_VALUES.items():
            if name in data and data[name] not in neutral:
                allowed = " or ".join(repr(value) for value in neutral if value is not None)
                raise ValueError(f"{name} must be {allowed} or absent: this server samples by temperature alone")
        return {name: value for name, value in data.items() if name not in NEUTRAL_VALUES}


class TextPart(BaseModel):
    """A part of a message's content."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A chat message."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str
    name: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _join_parts(cls, value: Any) -> Any:
        return "".join(TextPart.model_validate(part).text for part in value) if isinstance(value, list) else value


class ChatRequest(SamplingRequest):
    """POST /v1/chat/completions."""

    messages: list[Message] = Field(min_length=1)


class CompletionRequest(SamplingRequest):
    """POST /v1/completions: the prompt is text, or token ids as they are."""

    prompt: Annotated[str, Field(min_length=1)] | Annotated[list[TokenId], Field(min_length=1)]
