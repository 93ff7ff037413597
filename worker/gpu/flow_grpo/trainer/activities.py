"""The trainer's Temporal activities: initPolicy, trainStep and saveCheckpoint.

They run in a worker thread, one at a time (device.py), and heartbeat from inside the work, so that a step that hangs
times out.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from flow_grpo.failures import Failure
from flow_grpo.trainer.contract import InitPolicyRequest, SaveCheckpointRequest, TrainStepRequest, parse_request
from flow_grpo.trainer.heartbeat import heartbeat
from flow_grpo.trainer.redaction import redact
from flow_grpo.trainer.trainer import Trainer

log = logging.getLogger(__name__)


class TrainerActivities:
    """Translates between Temporal and the trainer: payloads, heartbeats, failures."""

    def __init__(self, trainer: Trainer, secrets: Sequence[str]) -> None:
        """`secrets`: strings that no failure message may contain."""
        self._trainer = trainer
        self._secrets = secrets

    @activity.defn(name="initPolicy")
    def init_policy(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Make and commit policy 0 of a run."""
        with self._failures():
            request = parse_request(InitPolicyRequest, payload)
            return self._trainer.init_policy(request, heartbeat).model_dump()

    @activity.defn(name="trainStep")
    def train_step(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take and commit one training step."""
        with self._failures():
            request = parse_request(TrainStepRequest, payload)
            return self._trainer.train_step(request, heartbeat).model_dump()

    @activity.defn(name="saveCheckpoint")
    def save_checkpoint(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Save the state after a committed step, where no checkpoint of it is."""
        with self._failures():
            request = parse_request(SaveCheckpointRequest, payload)
            return self._trainer.save_checkpoint(request, heartbeat).model_dump()

    def all(self) -> list[Callable[..., Any]]:
        """What the worker registers."""
        return [self.init_policy, self.train_step, self.save_checkpoint]

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn exceptions into Temporal failures without secrets: the closed list is final, all else is retried."""
        try:
            yield
        except CancelledError:
            raise
        except Failure as error:
            message = redact(str(error), self._secrets)
            log.error("%s: %s", error.type, message)
            raise ApplicationError(message, error.details, type=error.type.value, non_retryable=True) from None
        except Exception as error:
            message = redact(f"{type(error).__name__}: {error}", self._secrets)
            log.warning("%s; Temporal retries", message)
            raise ApplicationError(message, type=type(error).__name__) from None
