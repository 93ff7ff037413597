"""Policies and checkpoints of a run in the artifact store.

    runs/<run id>/policies/<step>/     adapter_model.safetensors adapter_config.json manifest.json, of an adapter
                                       model.safetensors manifest.json, where the whole model trains
    runs/<run id>/checkpoints/<step>/  the same and optimizer.safetensors

Every step makes a policy; a checkpoint adds the optimiser, so that training can go on from it. So does policy 0 of a
fork that carries its parent's optimiser over: state 0 can always be made from policy 0 alone.
"""

import json
import logging
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.model_directory import WEIGHTS
from flow_grpo.policy import ADAPTER_CONFIG, ADAPTER_TENSORS, policy_directory, tensors_sha256
from flow_grpo.trainer import TRAINER_VERSION
from flow_grpo.trainer.batch import check_identity
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.lora import adapter_config
from flow_grpo.trainer.state import OptimiserState, TrainerState, initial_state, optimiser_of, optimiser_tensors

OPTIMISER_TENSORS = "optimizer.safetensors"
DISCARDED = "discarded"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """What a run's artifacts must agree in (I8)."""

    model: str
    parts: Mapping[str, str]
    """Those of the run's configuration: the same in its batches."""
    base: Mapping[str, str]
    """What the registered model turned out to be: weights, config and tokenizer, by their sha256s."""

    def as_parts(self) -> dict[str, str]:
        """All parts by name, the base model and the trainer's version included."""
        return {**self.parts, **self.base, "base model": self.model, "trainer version": TRAINER_VERSION}


@dataclass(frozen=True)
class ForkedFrom:
    """The policy of another run that a fork's policy 0 is a copy of. It is noted, and never read again."""

    policy_name: str
    policy_sha256: str
    optimizer: bool
    """Whether its optimiser state was copied too."""
    allowed: tuple[str, ...]
    """In what the fork was allowed to differ from that run."""


@dataclass(frozen=True)
class Origin:
    """What a state was made from."""

    parent_sha256: str | None
    batch_sha256: str | None
    forked_from: ForkedFrom | None = None


class RunArtifacts:
    """Reads and writes one run's policies and checkpoints under the store's root directory."""

    def __init__(self, root: Path, run_id: str, identity: Identity) -> None:
        self.root = root
        self.run_id = run_id
        self.identity = identity

    def policy(self, step: int) -> Path:
        """Directory of a policy."""
        return policy_directory(self.root, self.run_id, step)

    def checkpoint(self, step: int) -> Path:
        """Directory of a checkpoint."""
        return checkpoint_directory(self.root, self.run_id, step)

    def write_policy(self, state: TrainerState, origin: Origin) -> Path:
        """Write a policy if it does not stand yet. Raises StepDiverged when another one stands in its place."""
        files = self._weights_files(state)
        if state.step == 0 and state.optimiser.updates > 0:
            files[OPTIMISER_TENSORS] = _writer(optimiser_tensors(state.optimiser))
        return self._write(self.policy(state.step), state, files, origin)

    def write_checkpoint(self, state: TrainerState, origin: Origin) -> Path:
        """Write a checkpoint if it does not stand yet. Raises StepDiverged when another one stands in its place."""
        files = {**self._weights_files(state), OPTIMISER_TENSORS: _writer(optimiser_tensors(state.optimiser))}
        return self._write(self.checkpoint(state.step), state, files, origin)

    def has_whole_policy(self, step: int, sha256: str) -> bool:
        """Whether the policy stands, undamaged, with this sha256."""
        return self._is_whole(self.policy(step), sha256)

    def has_whole_checkpoint(self, step: int, sha256: str) -> bool:
        """Whether the checkpoint stands, undamaged, with this sha256."""
        return self._is_whole(self.checkpoint(step), sha256)

    def policy_steps(self) -> list[int]:
        """Steps with a policy directory, ascending."""
        return standing_steps(self.policy(0).parent)

    def checkpoint_steps(self) -> list[int]:
        """Steps with a checkpoint directory, ascending."""
        return standing_steps(self.checkpoint(0).parent)

    def newest_state(self, step: int, accept: Callable[[int, str], bool]) -> TrainerState | None:
        """State of the newest whole checkpoint <= step; None when there is none.

        A broken checkpoint is moved aside and the one before is taken; so it is when `accept(step, sha256)` says no.
        Raises WrongIdentity for a checkpoint of another configuration.
        """
        for candidate in reversed([n for n in self.checkpoint_steps() if n <= step]):
            directory = self.checkpoint(candidate)
            try:
                state = self._load_state(directory)
            except (artifacts.ArtifactMissing, artifacts.ArtifactBroken) as error:
                aside = artifacts.move_aside(directory)
                log.warning("checkpoint %d of %s is not whole (%s): moved to %s", candidate, self.run_id, error, aside)
                continue
            if accept(candidate, state.sha256):
                return state
            log.warning("checkpoint %d of %s is not the committed policy: skipped", candidate, self.run_id)
        return None

    def initial_state(self) -> TrainerState | None:
        """State 0 from policy 0, for a run that has lost all checkpoints; None without a whole policy 0."""
        try:
            manifest = artifacts.check_directory(self.policy(0))
        except (artifacts.ArtifactMissing, artifacts.ArtifactBroken):
            return None
        self._check_identity(self.policy(0), manifest)
        state = initial_state(self.run_id, stored_weights(manifest), read_weights(self.policy(0), manifest))
        carried = OPTIMISER_TENSORS in manifest["files"]
        return replace(state, optimiser=read_optimiser(self.policy(0))) if carried else state

    def discard(self, directory: Path) -> None:
        """Take a policy or checkpoint away at once; its files are deleted by `delete_discarded`."""
        # Another worker may have been faster.
        with suppress(FileNotFoundError):
            artifacts.move_aside(directory, DISCARDED)

    def delete_discarded(self) -> None:
        """Delete what was discarded, by this worker or by one that died before it could."""
        for parent in (self.policy(0).parent, self.checkpoint(0).parent):
            for path in parent.glob(f".{DISCARDED}-*"):
                shutil.rmtree(path, ignore_errors=True)

    def remove_leftovers(self, step: int) -> None:
        """Remove temporary directories of dead attempts at steps that are committed by now, up to `step`."""
        for parent in (self.policy(0).parent, self.checkpoint(0).parent):
            for path in parent.glob("*.tmp-*"):
                if path.name.split(".")[0].isdecimal() and int(path.name.split(".")[0]) <= step:
                    shutil.rmtree(path, ignore_errors=True)

    def _weights_files(self, state: TrainerState) -> dict[str, artifacts.Content]:
        if state.weights.kind == "full":
            return {WEIGHTS: _writer(state.tensors)}
        config = adapter_config(self.identity.model, state.weights)
        text = json.dumps(config, sort_keys=True, indent=1).encode() + b"\n"
        return {ADAPTER_TENSORS: _writer(state.tensors), ADAPTER_CONFIG: text}

    def _write(
        self, directory: Path, state: TrainerState, files: Mapping[str, artifacts.Content], origin: Origin
    ) -> Path:
        manifest = artifacts.commit_directory(directory, files, self._manifest(state, origin))
        if manifest["policy_sha256"] != state.sha256:
            raise Failure(
                FailureType.StepDiverged,
                f"step {state.step} of {self.run_id} gave policy {state.sha256}, but {directory.parent.name}/"
                f"{directory.name} already holds {manifest['policy_sha256']} from another worker",
            )
        return directory

    def _manifest(self, state: TrainerState, origin: Origin) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "step": state.step,
            "policy_name": state.policy_name,
            "policy_sha256": state.sha256,
            "weights": state.weights.model_dump(),
            "parent_sha256": origin.parent_sha256,
            "batch_sha256": origin.batch_sha256,
            "forked_from": asdict(origin.forked_from) if origin.forked_from else None,
            "identity": self.identity.as_parts(),
            "trainer_version": TRAINER_VERSION,
        }

    def _is_whole(self, directory: Path, sha256: str) -> bool:
        try:
            manifest = artifacts.check_directory(directory)
        except (artifacts.ArtifactMissing, artifacts.ArtifactBroken):
            return False
        return manifest.get("policy_sha256") == sha256

    def _load_state(self, directory: Path) -> TrainerState:
        manifest = artifacts.check_directory(directory)
        self._check_identity(directory, manifest)
        tensors = read_weights(directory, manifest)
        sha256 = tensors_sha256(tensors)
        if sha256 != manifest["policy_sha256"]:
            raise artifacts.ArtifactBroken(f"its tensors have sha256 {sha256}, not {manifest['policy_sha256']}")
        weights, optimiser = stored_weights(manifest), read_optimiser(directory)
        return TrainerState(self.run_id, int(manifest["step"]), sha256, weights, tensors, optimiser)

    def _check_identity(self, directory: Path, manifest: Mapping[str, Any]) -> None:
        what = f"{directory.parent.name}/{directory.name} of {self.run_id}"
        check_identity(what, manifest["identity"], self.identity.as_parts())


def _writer(tensors: Mapping[str, torch.Tensor]) -> artifacts.Content:
    """Writes a safetensors file from where the tensors lie, without a copy of them."""
    return lambda path: save_file(dict(tensors), path, metadata={"format": "pt"})


def stored_weights(manifest: Mapping[str, Any]) -> Weights:
    """What a policy or checkpoint holds."""
    return TypeAdapter(Weights).validate_python(manifest["weights"])


def read_weights(directory: Path, manifest: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """What trains in a policy or checkpoint, sorted by name. The files are mapped, not read: they are never changed."""
    name = WEIGHTS if WEIGHTS in manifest["files"] else ADAPTER_TENSORS
    return dict(sorted(load_file(directory / name).items()))


def read_optimiser(directory: Path) -> OptimiserState:
    """The optimiser of a checkpoint, mapped likewise."""
    return optimiser_of(load_file(directory / OPTIMISER_TENSORS))


def checkpoint_directory(root: Path, run: str, step: int) -> Path:
    """Where the checkpoint after a step lies in the artifact store whose root directory is `root`."""
    return root / "runs" / run / "checkpoints" / f"{step:06d}"


def standing_steps(parent: Path) -> list[int]:
    """Steps that have a directory in a run's `policies` or `checkpoints`, ascending."""
    return sorted(int(path.name) for path in parent.glob("[0-9]*") if re.fullmatch(r"\d{6,}", path.name))
