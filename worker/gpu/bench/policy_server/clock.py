"""Where the engine's time goes: its thread's time, split by what it was doing, and the sampler threads' work.

Functions are wrapped for the time of a measurement; the engine itself carries no clocks.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.policy_server.arms import PolicyServerArm
from bench.policy_server.rounds import Round, sample_round
from bench.policy_server.workload import Workload
from flow_grpo.policy_server import sampling
from flow_grpo.policy_server.decoder import Decoder, Rows
from flow_grpo.policy_server.engine import PolicyLane
from flow_grpo.policy_server.linear import Linear
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.policy_server.weights import BaseWeights, DecoderWeights

PRODUCTS, ATTENTION, ROWS, TENSORS, SAMPLING = (
    "matrix products",
    "attention",
    "norms, activation, rotary positions",
    "tensors around them",
    "sampling",
)
NOISE, LOG_PROBS = "noise and its argmax", "log-probabilities"


@dataclass
class Clock:
    """Seconds by part. `engine`: of the engine's thread, exclusive of the parts inside; `samplers`: summed over the
    sampler threads. `flops`: of the matrix products, padding included; `rows` and `logit_rows`: without it."""

    engine: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    samplers: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    flops: int = 0
    rows: int = 0
    logit_rows: int = 0
    _inside: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def timed(self, part: Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, run by the engine's thread, on this clock; `part` names its part from its arguments."""

        def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            self._inside.append(0.0)
            try:
                return function(*arguments)
            finally:
                elapsed = time.perf_counter() - started
                self.engine[part(*arguments)] += elapsed - self._inside.pop()
                if self._inside:
                    self._inside[-1] += elapsed

        return run

    def timed_by_samplers(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, run by any sampler thread, on this clock."""

        def run(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = function(*arguments)
            elapsed = time.perf_counter() - started
            with self._lock:
                self.samplers[part] += elapsed
            return result

        return run

    def part_of_product(self, linear: Linear, x: Any) -> str:
        """Counts the operations of a product."""
        self.flops += 2 * len(x) * linear.inputs * linear.outputs
        return PRODUCTS

    def part_of_pass(self, _: Decoder, __: DecoderWeights, rows: Rows) -> str:
        """Counts the rows that a pass was asked for."""
        self.rows += len(rows.tokens)
        return TENSORS

    def part_of_logits(self, _: Decoder, __: DecoderWeights, hidden: np.ndarray) -> str:
        """Counts the rows whose logits were asked for."""
        self.logit_rows += len(hidden)
        return TENSORS

    def noise_share(self) -> float:
        """The part of the sampling that is noise, from 0 to 1."""
        return self.samplers[NOISE] / (sum(self.samplers.values()) or 1.0)

    def useful_share(self, base: BaseWeights) -> float:
        """The part of the products' operations that is not padding, from 0 to 1."""
        row = sum(_flops(part) for layer in base.decoder.layers for part in vars(layer).values())
        return (self.rows * row + self.logit_rows * _flops(base.decoder.vocabulary)) / self.flops

    def product_rate(self) -> float:
        """FLOP/s of the matrix products, padding included."""
        return self.flops / self.engine[PRODUCTS]


def _flops(part: Any) -> int:
    """Operations for each row of a product; 0 for what is not a product."""
    return 2 * part.inputs * part.outputs if isinstance(part, Linear) else 0


def clocked_round(arm: PolicyServerArm, workload: Workload) -> tuple[Round, Clock]:
    """One more round, and where it went."""
    with _measured() as clock:
        return sample_round(arm, workload), clock


@contextmanager
def _measured() -> Iterator[Clock]:
    """A clock on everything that engines of this process do inside the block."""
    clock = Clock()
    on_engine = (
        (Linear, "__call__", clock.part_of_product),
        (RowThreads, "run", lambda _, kernel, *__: ATTENTION if kernel.__name__ == "attention" else ROWS),
        (Decoder, "compute", clock.part_of_pass),
        (Decoder, "logits", clock.part_of_logits),
        (PolicyLane, "_sample", lambda *_: SAMPLING),
    )
    on_samplers = (("noise_words", NOISE), ("_gumbel_argmax", NOISE), ("_exponentials", LOG_PROBS))
    with ExitStack() as stack:
        for owner, name, part in on_engine:
            stack.enter_context(patch.object(owner, name, clock.timed(part, getattr(owner, name))))
        for name, part in on_samplers:
            stack.enter_context(patch.object(sampling, name, clock.timed_by_samplers(part, getattr(sampling, name))))
        yield clock
