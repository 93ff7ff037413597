"""One planner turn as the gradient step sees it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One planner turn. `reward` is the trajectory's; `logprobs` are the sampler's, at the batch's temperature."""

    group: int
    rollout: int
    turn: int
    prompt: tuple[int, ...]
    response: tuple[int, ...]
    logprobs: tuple[float, ...]
    reward: float
    truncated: bool
    """Whether the response was cut off at the token limit."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """Prompt and response: the sequence the model sees."""
        return self.prompt + self.response
