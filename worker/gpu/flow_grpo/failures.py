"""The closed list of failure types that no retry can mend.

The same list as workflows/contracts/failures.ts; a test compares the two. An exception that is not a `Failure` is
infrastructure and is retried without limit (I2).
"""

from enum import StrEnum
from typing import Any


class FailureType(StrEnum):
    """The type that a workflow sees, as Temporal's ApplicationFailure.type."""

    BadConfiguration = "BadConfiguration"
    """The configuration contradicts itself or names something that is not registered."""

    WrongIdentity = "WrongIdentity"
    """A checkpoint, adapter or batch belongs to another base model, prompt, dataset or trainer version (I8)."""

    NonFiniteLoss = "NonFiniteLoss"
    """Loss or gradient is not finite. The run pauses and names the group."""

    StepDiverged = "StepDiverged"
    """A second worker computed another sha256 for a committed step (I4). The run pauses."""

    ReplayDiverged = "ReplayDiverged"
    """A replayed step gave another sha256 than its committed row (design 6). The run pauses."""

    BatchInvalid = "BatchInvalid"
    """A batch file is missing, has another sha256 than its row, or holds turns of another policy (I11)."""

    PromptTooLong = "PromptTooLong"
    """The rendered prompt does not fit the model's context. At turn 1 the rollout is excluded."""

    NotFound = "NotFound"
    """The query, dataset or rollout asked for does not exist."""

    ProviderRefused = "ProviderRefused"
    """A provider of language models refused a request for good: a wrong key, an unknown model, a malformed request."""

    BudgetSpent = "BudgetSpent"
    """The run has spent its budget on language models."""


class Failure(Exception):
    """A failure of the closed list, with details that a workflow can read (JSON values only)."""

    def __init__(self, type: FailureType, message: str, **details: Any) -> None:
        super().__init__(message)
        self.type = type
        self.details = details
