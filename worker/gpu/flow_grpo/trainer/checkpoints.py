"""Policies and checkpoints of a run in the artifact store.

    runs/<run id>/policies/<step>/     adapter_model.safetensors adapter_config.json manifest.json, of an adapter
                                       model.safetensors manifest.json, where the whole model trains
    runs/<run id>/checkpoints/<step>/  the same and optimizer.safetensors

Every step makes a policy; a checkpoint adds the optimiser, so that training can go on from it. So does policy 0 of a
fork that carries its parent's optimiser over: state 0 can always be made from policy 0 alone. There the file is
optimizer.state, of the same format: servers load whatever is called *.safetensors as weights.

The row in the database is the commit of a step (records.py). A directory that no row names was left by an attempt that
died: one with the same content is kept, any other is moved aside.
"""

import json
import logging
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file

from flow_grpo import artifacts
from flow_grpo.model_directory import WEIGHTS
from flow_grpo.policy import ADAPTER_CONFIG, ADAPTER_TENSORS, policy_directory, tensors_sha256
from flow_grpo.tensor_files import save_tensors
from flow_grpo.trainer import REPLAYABLE_VERSIONS, TRAINER_VERSION
from flow_grpo.trainer.batch import check_identity
from flow_grpo.trainer.hyper_parameters import Weights
from flow_grpo.trainer.lora import adapter_config
from flow_grpo.trainer.state import OptimiserState, TrainerState, initial_state, optimiser_of, optimiser_tensors

OPTIMISER_TENSORS = "optimizer.safetensors"
CARRIED_OPTIMISER = "optimizer.state"
"""Of a policy 0. Versions before wrote it as OPTIMISER_TENSORS."""

DISCARDED = "discarded"
UNCOMMITTED = "uncommitted"
WITHDRAWN = "withdrawn"

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
class ComputedWith:
    """What decides the rounding of a step beside its batch."""

    micro_batch_tokens: int
    ranks: int


@dataclass(frozen=True)
class Origin:
    """What a state was made from."""

    parent_sha256: str | None
    batch_sha256: str | None
    forked_from: ForkedFrom | None = None
    computed_with: ComputedWith | None = None
    """Of a step that is not committed yet: of the others the row says it."""


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
        """Write a policy if it does not stand yet, moving another one in its place aside: let no row name that one."""
        files = self._weights_files(state)
        if state.step == 0 and state.optimiser.updates > 0:
            files[CARRIED_OPTIMISER] = _writer(optimiser_tensors(state.optimiser))
        return self._write(self.policy(state.step), state, files, origin)

    def write_checkpoint(self, state: TrainerState, origin: Origin) -> Path:
        """Write a checkpoint if it does not stand yet, as `write_policy` does."""
        files = {**self._weights_files(state), OPTIMISER_TENSORS: _writer(optimiser_tensors(state.optimiser))}
        return self._write(self.checkpoint(state.step), state, files, origin)

    def unfinished(self, step: int, origin: Origin) -> ComputedWith | None:
        """How an attempt computed the step that wrote its policy and died before the commit; None without one.

        A step that has no row: computed in the same way it has the same bits, and the policy may stay.
        """
        try:
            manifest = artifacts.read_manifest(self.policy(step))
        except (artifacts.ArtifactMissing, artifacts.ArtifactBroken):
            return None
        found = manifest.get("computed_with")
        return ComputedWith(**found) if found and _made_from(manifest, origin) else None

    def stands(self, directory: Path, sha256: str) -> bool:
        """Whether a policy or checkpoint with this sha256 stands, by its manifest alone."""
        try:
            return artifacts.read_manifest(directory).get("policy_sha256") == sha256
        except (artifacts.ArtifactMissing, artifacts.ArtifactBroken):
            return False

    def recall(self, directory: Path, sha256: str) -> bool:
        """Put a whole policy or checkpoint with this sha256 back that was moved aside; whether it stands now.

        One in its place that has another sha256 is moved aside.
        """
        if self._is_whole(directory, sha256):
            return True
        for aside in sorted(directory.parent.glob(f".{UNCOMMITTED}-{directory.name}-*")):
            if self._is_whole(aside, sha256):
                self._free(directory)
                artifacts.put_back(aside, directory)
                return True
        return False

    def give_way(self, step: int, sha256: str) -> None:
        """Leave the names of a step to the policy that was committed meanwhile, with this sha256."""
        for directory in (self.policy(step), self.checkpoint(step)):
            if directory.exists() and not self.stands(directory, sha256):
                self._free(directory)
                self.recall(directory, sha256)

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
        carried = optimiser_file(manifest)
        return replace(state, optimiser=read_optimiser(self.policy(0), carried)) if carried else state

    def withdraw(self, directory: Path) -> None:
        """Take a policy or checkpoint away at once, until it is decided whether it goes: see `withdrawn`."""
        # Another worker may have been faster.
        with suppress(FileNotFoundError):
            artifacts.move_aside(directory, WITHDRAWN)

    def withdrawn(self) -> dict[Path, Path]:
        """What was withdrawn, by this worker or by one that died: where it is, and where it was."""
        found = [path for parent in self._parents() for path in sorted(parent.glob(f".{WITHDRAWN}-*"))]
        return {path: path.with_name(path.name.split("-")[1]) for path in found}

    def give_back(self, path: Path, directory: Path) -> None:
        """End a withdrawal: the artifact stands again, unless another was written in its place since."""
        if directory.exists():
            self.discard(path)
            return
        # Another worker may have been faster.
        with suppress(OSError):
            artifacts.put_back(path, directory)

    def discard(self, path: Path) -> None:
        """End a withdrawal: the files are deleted by `delete_discarded`."""
        with suppress(FileNotFoundError):
            path.rename(path.with_name(path.name.replace(WITHDRAWN, DISCARDED, 1)))

    def delete_discarded(self) -> None:
        """Delete what was discarded, by this worker or by one that died before it could."""
        for parent in self._parents():
            for path in parent.glob(f".{DISCARDED}-*"):
                shutil.rmtree(path, ignore_errors=True)

    def remove_leftovers(self, step: int) -> None:
        """Remove temporary directories of dead attempts at steps that are committed by now, up to `step`."""
        for parent in self._parents():
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
        while True:
            found = artifacts.commit_directory(directory, files, self._manifest(state, origin))
            if found["policy_sha256"] == state.sha256 and _made_from(found, origin):
                return directory
            self._free(directory)

    def _free(self, directory: Path) -> None:
        """Move what stands under a name and is not committed aside. It is not deleted: a person may want to see it."""
        with suppress(FileNotFoundError):
            aside = artifacts.move_aside(directory, UNCOMMITTED)
            log.warning(
                "%s was never committed, and another attempt gave something else: moved to %s", directory, aside
            )

    def _parents(self) -> tuple[Path, Path]:
        return self.policy(0).parent, self.checkpoint(0).parent

    def _manifest(self, state: TrainerState, origin: Origin) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "step": state.step,
            "policy_name": state.policy_name,
            "policy_sha256": state.sha256,
            "weights": state.weights.model_dump(),
            "parent_sha256": origin.parent_sha256,
            "batch_sha256": origin.batch_sha256,
            "computed_with": asdict(origin.computed_with) if origin.computed_with else None,
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
        theirs = dict(manifest["identity"])
        if theirs.get("trainer version") in REPLAYABLE_VERSIONS:
            # A state is the same in all of them: they differ in how they compute a batch.
            theirs["trainer version"] = TRAINER_VERSION
        check_identity(what, theirs, self.identity.as_parts())


def _writer(tensors: Mapping[str, torch.Tensor]) -> artifacts.Content:
    return partial(save_tensors, tensors)


def _made_from(manifest: Mapping[str, Any], origin: Origin) -> bool:
    made_from = manifest.get("parent_sha256"), manifest.get("batch_sha256")
    if made_from != (origin.parent_sha256, origin.batch_sha256):
        return False
    # The same weights may come with moments that were rounded otherwise.
    return origin.computed_with is None or manifest.get("computed_with") == asdict(origin.computed_with)


def stored_weights(manifest: Mapping[str, Any]) -> Weights:
    """What a policy or checkpoint holds."""
    return TypeAdapter(Weights).validate_python(manifest["weights"])


def read_weights(directory: Path, manifest: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """What trains in a policy or checkpoint, sorted by name. The files are mapped, not read: they are never changed."""
    name = WEIGHTS if WEIGHTS in manifest["files"] else ADAPTER_TENSORS
    return dict(sorted(load_file(directory / name).items()))


def optimiser_file(manifest: Mapping[str, Any]) -> str | None:
    """The optimiser's file in a policy or checkpoint, if there is one."""
    return next((name for name in (OPTIMISER_TENSORS, CARRIED_OPTIMISER) if name in manifest["files"]), None)


def read_optimiser(directory: Path, name: str = OPTIMISER_TENSORS) -> OptimiserState:
    """The optimiser of a checkpoint, mapped likewise. `name`: of its file."""
    return optimiser_of(load_file(directory / name))


def checkpoint_directory(root: Path, run: str, step: int) -> Path:
    """Where the checkpoint after a step lies in the artifact store whose root directory is `root`."""
    return root / "runs" / run / "checkpoints" / f"{step:06d}"


def remove_run(root: Path, run: str) -> None:
    """Remove what a run that was deleted has in the artifact store, as its deletion did. It may be repeated.

    One that dies over it leaves a directory that the deletion finds a day later.
    """
    directory = root / "runs" / run
    with suppress(FileNotFoundError):
        shutil.rmtree(artifacts.move_aside(directory, DISCARDED), ignore_errors=True)


def standing_steps(parent: Path) -> list[int]:
    """Steps that have a directory in a run's `policies` or `checkpoints`, ascending."""
    return sorted(int(path.name) for path in parent.glob("[0-9]*") if re.fullmatch(r"\d{6,}", path.name))
