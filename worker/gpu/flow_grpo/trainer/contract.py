"""Wire types of the trainer's activities: the Python side of contracts/trainer-activities.ts."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.batch import Policy
from flow_grpo.trainer.hyper_parameters import Weights

# A run's id becomes part of a path: it must not be able to leave its directory.
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]

ExportId = Annotated[str, Field(pattern=r"^export-[a-z2-7]{1,64}$")]


class Request(BaseModel):
    """Base of the requests. Unknown keys are ignored, so that an older worker serves a newer workflow."""

    model_config = ConfigDict(frozen=True)


ForkPart = Literal["base-model", "tokenizer", "prompts", "dataset"]


class StartPolicy(Request):
    """The policy that a fork copies as its own policy 0."""

    policy: Policy
    optimizer: bool
    """Whether the parent's optimiser state is carried over."""
    allow: tuple[ForkPart, ...] = ()
    """In what the fork may differ from its parent."""


class InitPolicyRequest(Request):
    """Make policy 0 of a run."""

    run_id: RunId
    model: str
    seed: int
    weights: Weights
    dtype: Literal["float32", "bfloat16"]
    """Of the run's matrix products."""
    identity: dict[str, str]
    start: StartPolicy | None = None
    reference: Policy | None = None
    """The reference policy of the KL term; None is the base model."""


class ArtifactRef(Request):
    """A file or directory of the artifact store."""

    uri: str
    sha256: str


class Keep(Request):
    """Which whole checkpoints stay: those that any of the three keeps. Checkpoint 0 always stays."""

    last: int = Field(ge=2)
    """The newest n."""
    best: int = Field(ge=0)
    """The n best by held-out accuracy."""
    every: int = Field(ge=0)
    """Every m-th step's; 0 for none."""


class CheckpointRequest(Request):
    """Whether to save a checkpoint of the step, and which to keep."""

    save: bool
    keep: Keep


class TrainStepRequest(Request):
    """Turn policy step - 1 into policy step."""

    run_id: RunId
    step: int = Field(ge=1)
    parent_sha256: str
    batch: ArtifactRef
    model: str
    identity: dict[str, str]
    checkpoint: CheckpointRequest


class CommittedStepRequest(Request):
    """Which committed step a call is about, and what it takes to bring its state back."""

    run_id: RunId
    step: int = Field(ge=0)
    sha256: str
    model: str
    identity: dict[str, str]
    keep: Keep


class ExportPolicyRequest(Request):
    """Write the files of a policy for whoever downloads them."""

    export_id: ExportId
    policy: str
    """`<run>@<step>`."""
    merged: bool
    """An adapter is merged into its base model."""


class ExportedFile(BaseModel):
    """A file of an export."""

    name: str
    bytes: int
    sha256: str


class ExportPolicyResult(BaseModel):
    """All files of an export, by name."""

    files: list[ExportedFile]


class EnsurePolicyResult(BaseModel):
    """Where the policy lies."""

    uri: str
    worker: str
    """Task queue of the worker process that holds the run's state now."""
    rebuilt: bool
    """Whether it did not stand, and was made again from the run's batches."""


class SaveCheckpointResult(BaseModel):
    """Where the checkpoint lies."""

    uri: str


class InitPolicyResult(BaseModel):
    """Policy 0 and where it lies."""

    policy: Policy
    uri: str
    worker: str
    """Task queue of the worker process that holds the run's state now."""


RecoveredFrom = Literal["memory", "checkpoint", "replay", "committed"]


class TrainStepResult(BaseModel):
    """The committed policy of a step, and how the worker came to hold the state before it."""

    policy: Policy
    uri: str
    recovered_from: RecoveredFrom
    worker: str
    """Task queue of the worker process that holds the run's state now."""
    metrics: dict[str, float]


R = TypeVar("R", bound=Request)


def parse_request(type: type[R], payload: Any) -> R:
    """Validate an activity's argument. Raises BadConfiguration naming every bad field: no retry can mend it."""
    try:
        return type.model_validate(payload)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Failure(FailureType.BadConfiguration, f"{type.__name__} is malformed: {problems}") from None
