"""The trainer's Temporal activities: initPolicy, trainStep, saveCheckpoint and ensurePolicy.

They run in a worker thread, one at a time (device.py), and heartbeat as long as their work advances (ticker.py).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.contract import (
    CommittedStepRequest,
    InitPolicyRequest,
    TrainStepRequest,
    parse_request,
)
from flow_grpo.trainer.outage import is_outage
from flow_grpo.trainer.ranks.attendance import RankLost, RankOutOfMemory
from flow_grpo.trainer.recovery import StateUnavailable
from flow_grpo.trainer.redaction import redact
from flow_grpo.trainer.ticker import Ticker
from flow_grpo.trainer.trainer import Trainer
from flow_grpo.trainer.tries import DEFECTS, LOST, Tries, delay_after, tries_before

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
        with told_failures(self._secrets), Ticker() as progress:
            request = parse_request(InitPolicyRequest, payload)
            return self._trainer.init_policy(request, progress).model_dump()

    @activity.defn(name="trainStep")
    def train_step(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take and commit one training step."""
        with told_failures(self._secrets), Ticker() as progress:
            request = parse_request(TrainStepRequest, payload)
            return self._trainer.train_step(request, progress).model_dump()

    @activity.defn(name="saveCheckpoint")
    def save_checkpoint(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Save the state after a committed step, where no checkpoint of it is."""
        with told_failures(self._secrets), Ticker() as progress:
            request = parse_request(CommittedStepRequest, payload)
            return self._trainer.save_checkpoint(request, progress).model_dump()

    @activity.defn(name="ensurePolicy")
    def ensure_policy(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Have the committed policy of a step stand, whose files may be lost."""
        with told_failures(self._secrets), Ticker() as progress:
            request = parse_request(CommittedStepRequest, payload)
            return self._trainer.ensure_policy(request, progress).model_dump()

    def all(self) -> list[Callable[..., Any]]:
        """What the worker registers."""
        return [self.init_policy, self.train_step, self.save_checkpoint, self.ensure_policy]


@contextmanager
def told_failures(secrets: Sequence[str]) -> Iterator[None]:
    """Turn exceptions of an activity into Temporal failures without secrets, and tell outages from defects (I14).

    The closed list is final; an outage is retried without limit; what fails by itself, and what takes its worker
    along time and again, ends after a bounded number of attempts.
    """
    info = activity.info()
    before = tries_before(info)
    if before.lost(info.attempt) >= LOST:
        raise _lost(info, before.lost(info.attempt))
    # The first attempt leaves this to its heartbeats.
    if info.attempt > 1:
        activity.heartbeat(before.details())
    try:
        yield
    except CancelledError:
        raise
    except Failure as error:
        message = redact(str(error), secrets)
        log.error("%s: %s", error.type, message)
        raise ApplicationError(message, error.details, type=error.type.value, non_retryable=True) from None
    except Exception as error:
        message = redact(f"{type(error).__name__}: {error}", secrets)
        log.warning("%s", message)
        raise _judged(error, message, info, before) from None


def _judged(error: Exception, message: str, info: activity.Info, before: Tries) -> ApplicationError:
    kind = type(error).__name__
    if isinstance(error, RankLost) and not isinstance(error, RankOutOfMemory):
        # A process of this trainer is gone, as if the trainer were: the attempt counts as a lost one.
        return ApplicationError(message, type=kind)
    if is_outage(error):
        activity.heartbeat(before.after_outage(info.attempt).details())
        return ApplicationError(message, type=kind)
    after = before.after_defect(info.attempt)
    activity.heartbeat(after.details())
    if after.defects < DEFECTS:
        return ApplicationError(message, type=kind, next_retry_delay=delay_after(after.defects))
    if isinstance(error, StateUnavailable):
        return ApplicationError(message, type=FailureType.PolicyUnusable.value, non_retryable=True)
    said = f"{info.activity_type} failed {after.defects} times by itself, not for an outage: {message}"
    return ApplicationError(said, type=FailureType.Defect.value, non_retryable=True)


def _lost(info: activity.Info, lost: int) -> ApplicationError:
    said = (
        f"{lost} attempts in a row were lost: each time the worker of {info.activity_type} ended or did not answer. "
        "Nothing else failed. Look for the reason in the log of the trainer; resuming tries it again."
    )
    return ApplicationError(said, type=FailureType.Defect.value, non_retryable=True)
