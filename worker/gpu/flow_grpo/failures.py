"""The closed list of failure types that no retry can mend.

The same list as contracts/failures.ts; a test compares the two. What is recognisably infrastructure (outage.py) is
retried without limit (I2); any other exception a bounded number of times, and then it fails as `Defect` (I14).
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
    """A replayed step gave another sha256 than its committed row (docs/recovery.md). The run pauses."""

    BatchInvalid = "BatchInvalid"
    """A batch file is missing, has another sha256 than its row, or holds turns of another policy (I11)."""

    SamplerMismatch = "SamplerMismatch"
    """A batch's log-probs are not those of the policy that it was sampled from: the policy server computes another."""

    PromptTooLong = "PromptTooLong"
    """The rendered prompt does not fit the model's context. At turn 1 the rollout is excluded."""

    NotFound = "NotFound"
    """The query, dataset or rollout asked for does not exist."""

    ProviderRefused = "ProviderRefused"
    """A provider of language models refused a request for good: a wrong key, an unknown model, a malformed request."""

    BudgetSpent = "BudgetSpent"
    """The run has spent its budget on language models."""

    PolicyUnusable = "PolicyUnusable"
    """A policy's files are gone or damaged, or its logits are not finite. The message names it."""

    DiskFull = "DiskFull"
    """The files of an export find no room on the disk of the artifact store. None of them is left."""

    NothingScored = "NothingScored"
    """Every rollout of a step was lost to infrastructure: there is nothing to learn from, and nothing is committed."""

    Defect = "Defect"
    """A call failed by itself, not for an outage, as often as it is tried; or was lost with its worker each time."""


class Failure(Exception):
    """A failure of the closed list, with details that a workflow can read (JSON values only)."""

    def __init__(self, type: FailureType, message: str, **details: Any) -> None:
        super().__init__(message)
        self.type = type
        self.details = details
