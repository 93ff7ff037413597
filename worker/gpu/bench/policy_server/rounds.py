"""Rounds: every arm samples the whole step, from nothing cached, in turns with the others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.policy_server.arms import Arm
from bench.policy_server.workload import Workload

# Prompts of each turn that an arm samples before the first round, to load and compile what it needs.
WARM_UP = 2


@dataclass(frozen=True)
class Round:
    """One step by one arm: seconds and sampled tokens of each turn; seconds of processor, all threads, of the step."""

    arm: str
    seconds: tuple[float, ...]
    sampled: tuple[int, ...]
    processor: float

    @property
    def rate(self) -> float:
        """Sampled tokens per second over all turns."""
        return sum(self.sampled) / sum(self.seconds)

    @property
    def processor_rate(self) -> float:
        """Sampled tokens per second of processor: what other work on the machine changes least."""
        return sum(self.sampled) / self.processor


def sample_rounds(arms: Sequence[Arm], workload: Workload, rounds: int) -> list[Round]:
    """The rounds in the order in which they were taken. The arm that begins changes from round to round."""
    for arm in arms:
        sample_round(arm, workload.first(WARM_UP))
    taken: list[Round] = []
    for number in range(rounds):
        for index in range(len(arms)):
            taken.append(sample_round(arms[(number + index) % len(arms)], workload))
            print(f"round {number + 1}: {taken[-1].arm}: {taken[-1].rate:.1f} sampled tokens/s", flush=True)
    return taken


def sample_round(arm: Arm, workload: Workload) -> Round:
    """Sample all turns, from nothing cached."""
    arm.forget()
    seconds: list[float] = []
    sampled: list[int] = []
    processor = time.process_time()
    for prompts in workload.turns:
        started = time.perf_counter()
        answers = arm.sample(prompts)
        seconds.append(time.perf_counter() - started)
        sampled.append(sum(map(len, answers)))
    return Round(arm.name, tuple(seconds), tuple(sampled), time.process_time() - processor)
