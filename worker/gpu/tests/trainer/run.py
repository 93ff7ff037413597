"""A training run for tests: its store, its database, and the workflow's part of the work."""

from pathlib import Path
from typing import Any

import psycopg

from flow_grpo.artifacts import file_uri
from flow_grpo.trainer.contract import CommittedStepRequest, InitPolicyRequest, TrainStepRequest, TrainStepResult
from flow_grpo.trainer.records import Records
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.trainer import Stores, Trainer
from tests.trainer.samples import IDENTITY, LORA, MODEL, metadata, random_samples, training, write_batch

RUN_ID = "run-1"
WORKER = "trainer/1"
KEEP = {"last": 3, "best": 0, "every": 0}


def no_progress(_phase: str, _done: int, _total: int) -> None:
    """A heartbeat that nobody hears."""


class Run:
    """Plays the workflow: freezes batches, asks trainers for steps, remembers the policies."""

    def __init__(self, directory: Path, database_url: str, models_cache: Path, run_id: str = RUN_ID) -> None:
        """Several runs may share a directory and a database."""
        self.run_id = run_id
        self.root = directory / "artifacts"
        self.root.mkdir(exist_ok=True)
        self.database_url = database_url
        self.models_cache = models_cache
        self.operator_file = directory / "operator.yaml"
        self.operator_file.write_text("models:\n  tiny-random: { source: tiny-random, context: 2048 }\n")
        self.policies: dict[int, str] = {}
        self.directory = self.root / "runs" / self.run_id
        self.weights: dict[str, Any] = LORA
        """What trains in it."""

    def stores(self, replay_checkpoint_seconds: float = 1e9) -> Stores:
        """Where its trainers find things."""
        records = Records(self.database_url)
        return Stores(
            self.root,
            self.models_cache,
            self.operator_file,
            records,
            replay_checkpoint_seconds,
            # The samples of these tests have made-up log-probs.
            mismatch_limit=1e9,
        )

    def trainer(self, replay_checkpoint_seconds: float = 1e9, runs: int = 4) -> Trainer:
        """A trainer process that has just started: nothing in memory."""
        return Trainer(self.stores(replay_checkpoint_seconds), WORKER, runs)

    def init(self, trainer: Trainer, seed: int = 3) -> str:
        """initPolicy, as the workflow asks for it."""
        result = trainer.init_policy(self.init_request(seed), no_progress)
        self.policies[0] = result.policy.sha256
        return result.policy.sha256

    def init_request(self, seed: int = 3) -> InitPolicyRequest:
        """initPolicy's argument."""
        payload = {
            "run_id": self.run_id,
            "model": MODEL,
            "seed": seed,
            "weights": self.weights,
            "dtype": "float32",
            "identity": IDENTITY,
        }
        return InitPolicyRequest.model_validate(payload)

    def freeze(self, step: int, samples: list[Sample] | None = None, **changes: Any) -> dict[str, str]:
        """Write the batch of a step and its row, once; returns its reference."""
        rows = random_samples(step) if samples is None else samples
        path = self.directory / "batches" / f"{step:06d}.arrow"
        given = {"training": training(weights=self.weights).model_dump(), **changes}
        sha256 = write_batch(path, rows, metadata(rows, self.run_id, step, self.policies[step - 1], **given))
        self.execute(
            "INSERT INTO batches (run_id, step, uri, sha256, samples, bytes, policy_sha256) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (self.run_id, step, file_uri(path), sha256, len(rows), path.stat().st_size, self.policies[step - 1]),
        )
        return {"uri": file_uri(path), "sha256": sha256}

    def request(self, step: int, batch: dict[str, str], save: bool = True, **changes: Any) -> TrainStepRequest:
        """trainStep's argument."""
        payload = {
            "run_id": self.run_id,
            "step": step,
            "parent_sha256": self.policies[step - 1],
            "batch": batch,
            "model": MODEL,
            "identity": IDENTITY,
            "checkpoint": {"save": save, "keep": KEEP},
        }
        return TrainStepRequest.model_validate({**payload, **changes})

    def checkpoint_request(self, step: int) -> CommittedStepRequest:
        """saveCheckpoint's argument."""
        payload = {
            "run_id": self.run_id,
            "step": step,
            "sha256": self.policies[step],
            "model": MODEL,
            "identity": IDENTITY,
        }
        return CommittedStepRequest.model_validate({**payload, "keep": KEEP})

    def step(self, trainer: Trainer, step: int, save: bool = True, **changes: Any) -> TrainStepResult:
        """Freeze a batch if that has not been done, and take the step."""
        request = self.request(step, self.freeze(step), save, **changes)
        result = trainer.train_step(request, no_progress)
        self.policies[step] = result.policy.sha256
        return result

    def train(self, trainer: Trainer, steps: int, save: bool = True) -> None:
        """initPolicy and the steps up to `steps`."""
        self.init(trainer)
        for step in range(1, steps + 1):
            self.step(trainer, step, save)

    def execute(self, statement: Any, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run SQL in the run's database."""
        with psycopg.connect(self.database_url) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def checkpoints(self) -> list[str]:
        """Names of the checkpoint directories."""
        return sorted(path.name for path in (self.directory / "checkpoints").iterdir())

    def optimiser_bytes(self, step: int) -> bytes:
        """optimizer.safetensors of a checkpoint."""
        return (self.directory / "checkpoints" / f"{step:06d}" / "optimizer.safetensors").read_bytes()
