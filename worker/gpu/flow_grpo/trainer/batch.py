"""The frozen batch of a training step: one Apache Arrow file with the samples and, as metadata, every other input.

One row is one sample: a planner turn with its own prompt and response. Rows are sorted by (group, rollout, turn).
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer import REPLAYABLE_VERSIONS
from flow_grpo.trainer.objectives import Training
from flow_grpo.trainer.sample import Sample

METADATA_KEY = b"agentflow"

COLUMNS: dict[str, pa.DataType] = {
    "group": pa.int32(),
    "rollout": pa.int32(),
    "turn": pa.int32(),
    "prompt_token_ids": pa.list_(pa.int32()),
    "response_token_ids": pa.list_(pa.int32()),
    "logprobs": pa.list_(pa.float32()),
    "reward": pa.float64(),
    "finish_reason": pa.string(),
}


class Policy(BaseModel):
    """A policy's name and the sha256 of its tensors."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str


class Decision(BaseModel):
    """What a person decided about a step whose loss was not finite; frozen with the batch, so that it replays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skip_groups: tuple[int, ...] = ()
    skip_step: bool = False


class Metadata(BaseModel):
    """What the batch file says about itself."""

    model_config = ConfigDict(frozen=True)

    format: Literal[3]
    trainer_version: str
    run_id: str
    step: int = Field(ge=1)
    policy: Policy
    """The input policy of the step: what sampled the rows, unless they are recorded ones."""
    reference: Policy | None
    """The reference policy of the KL term; None is the base model."""
    model: str
    seed: int
    temperature: float = Field(gt=0)
    response_limit: int = Field(ge=1)
    """Tokens that a response could have had."""
    training: Training
    groups: int = Field(ge=0)
    draws: int = Field(ge=0)
    """Queries drawn for the step: more than `groups` where groups were excluded or over-sampled."""
    decision: Decision
    identity: dict[str, str]


@dataclass(frozen=True)
class Batch:
    """The frozen input of a training step; `sha256` is of the file's bytes."""

    metadata: Metadata
    samples: tuple[Sample, ...]
    sha256: str


def read_batch(path: Path, sha256: str) -> Batch:
    """Read and check a batch file. Raises BatchInvalid when it is missing, altered or malformed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise _invalid(path, "the file is missing; restore it from a copy of the artifact store") from None
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise _invalid(path, f"it has sha256 {actual}, but its row says {sha256}")
    try:
        with pa.ipc.open_file(pa.BufferReader(data)) as file:
            table = file.read_all()
    except pa.ArrowInvalid as error:
        raise _invalid(path, f"it is not an Arrow IPC file: {error}") from None
    metadata = _read_metadata(path, table.schema)
    samples = _read_samples(path, table)
    _check_samples(path, metadata, samples)
    return Batch(metadata, samples, sha256)


def check_batch(
    batch: Batch, run_id: str, step: int, parent_sha256: str, model: str, identity: Mapping[str, str]
) -> None:
    """Refuse a batch that was frozen for another step or policy (BatchInvalid) or identity (WrongIdentity)."""
    metadata = batch.metadata
    if (metadata.run_id, metadata.step) != (run_id, step):
        raise Failure(
            FailureType.BatchInvalid,
            f"the batch was frozen for step {metadata.step} of {metadata.run_id}, not for step {step} of {run_id}",
        )
    if metadata.policy.sha256 != parent_sha256:
        raise Failure(
            FailureType.BatchInvalid,
            f"the batch of step {step} was sampled from {metadata.policy.name} ({metadata.policy.sha256}), "
            f"but the input policy of the step is {parent_sha256}",
        )
    if metadata.trainer_version not in REPLAYABLE_VERSIONS:
        raise Failure(
            FailureType.WrongIdentity,
            f"the batch of step {step} was frozen for trainer {metadata.trainer_version}; this one computes those of "
            f"{', '.join(REPLAYABLE_VERSIONS)}",
        )
    theirs = {**metadata.identity, "base model": metadata.model}
    check_identity(f"the batch of step {step}", theirs, {**identity, "base model": model})


def check_identity(what: str, actual: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """Raise WrongIdentity naming every part in which two identities differ (I8)."""
    names = differing_parts(actual, expected)
    if names:
        raise wrong_identity(what, actual, expected, names)


def differing_parts(actual: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    """Names of the parts in which two identities differ, sorted."""
    return sorted(name for name in {*actual, *expected} if actual.get(name) != expected.get(name))


def wrong_identity(
    what: str, actual: Mapping[str, str], expected: Mapping[str, str], names: Sequence[str], remedy: str = ""
) -> Failure:
    """The failure that tells in which parts two identities differ, and what could be done about it."""
    differences = "; ".join(f"{name}: {actual.get(name)} there, {expected.get(name)} here" for name in names)
    message = f"{what} belongs to another configuration: {differences}{remedy}"
    return Failure(FailureType.WrongIdentity, message, differs=list(names))


def _read_metadata(path: Path, schema: pa.Schema) -> Metadata:
    raw = (schema.metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise _invalid(path, "its schema has no metadata `agentflow`")
    try:
        return Metadata.model_validate_json(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise _invalid(path, f"its metadata is not of this format: {problems}") from None


def _read_samples(path: Path, table: pa.Table) -> tuple[Sample, ...]:
    columns: dict[str, list[Any]] = {}
    for name, type in COLUMNS.items():
        if name not in table.column_names:
            raise _invalid(path, f"it has no column {name}")
        # Writers may name a list's items differently; what counts is that the values are of the type.
        columns[name] = table.column(name).cast(type).to_pylist()
    rows = zip(*(columns[name] for name in COLUMNS), strict=True)
    try:
        return tuple(
            Sample(group, rollout, turn, tuple(prompt), tuple(response), tuple(logprobs), reward, finish == "length")
            for group, rollout, turn, prompt, response, logprobs, reward, finish in rows
        )
    except TypeError:
        raise _invalid(path, "a list of tokens is null") from None


def _check_samples(path: Path, metadata: Metadata, samples: tuple[Sample, ...]) -> None:
    keys = [(s.group, s.rollout, s.turn) for s in samples]
    if any(a >= b for a, b in pairwise(keys)):
        raise _invalid(path, "its rows are not sorted by (group, rollout, turn), each once")
    rewards: dict[tuple[int, int], float] = {}
    rollouts: dict[int, set[int]] = {}
    for sample in samples:
        where = f"group {sample.group}, rollout {sample.rollout}, turn {sample.turn}"
        if not sample.prompt:
            raise _invalid(path, f"{where}: the prompt is empty")
        if len(sample.logprobs) != len(sample.response):
            raise _invalid(path, f"{where}: {len(sample.response)} tokens but {len(sample.logprobs)} log-probs")
        if not math.isfinite(sample.reward):
            raise _invalid(path, f"{where}: the reward is not finite")
        if rewards.setdefault((sample.group, sample.rollout), sample.reward) != sample.reward:
            raise _invalid(path, f"{where}: the turns of one rollout have different rewards")
        rollouts.setdefault(sample.group, set()).add(sample.rollout)
    if len(rollouts) != metadata.groups:
        raise _invalid(path, f"its metadata says {metadata.groups} groups, its rows hold {len(rollouts)}")
    if not metadata.training.compares_rollouts:
        return
    lonely = [group for group, members in rollouts.items() if len(members) < 2]
    if lonely:
        raise _invalid(path, f"groups {lonely} have a single scored rollout; advantages need at least two")


def _invalid(path: Path, problem: str) -> Failure:
    return Failure(FailureType.BatchInvalid, f"batch {path.name}: {problem}")
