"""What is measured of one shape, and how it is printed."""

from dataclasses import dataclass, field
from statistics import median

from bench.gradient_step.arms import OURS
from bench.gradient_step.bound import Bound
from bench.gradient_step.stopwatch import Seconds


@dataclass
class Report:
    """One shape with one KL coefficient; the dictionaries are by arm, except `tokens` and `bound`."""

    shape: str
    kl: float
    tokens: dict[str, int]
    parity: dict[str, float] = field(default_factory=dict)
    """Relative L2 between an arm's gradient and TRL's."""
    seconds: dict[str, list[Seconds]] = field(default_factory=dict)
    """Of each timed step."""
    peak_bytes: dict[str, int] = field(default_factory=dict)
    bound: Bound | None = None

    def wall(self, arm: str) -> list[float]:
        """By the wall clock."""
        return [seconds.wall for seconds in self.seconds[arm]]

    def processor(self, arm: str) -> list[float]:
        """By the processor's clock."""
        return [seconds.processor for seconds in self.seconds[arm]]


def print_report(report: Report) -> None:
    """Times, speeds relative to ours, peak memory, and the part of the bound that ours reaches."""
    for arm in report.seconds:
        memory = f"; peak {report.peak_bytes[arm] / 2**20:.0f} MiB" if arm in report.peak_bytes else ""
        print(f"  {arm}: {_spread(report.wall(arm))}, of the processor {_spread(report.processor(arm))}{memory}")
        if arm != OURS:
            by_wall = median(report.wall(arm)) / median(report.wall(OURS))
            by_processor = median(report.processor(arm)) / median(report.processor(OURS))
            print(f"    ours is {by_wall:.2f} times as fast by the wall clock, {by_processor:.2f} by the processor's")
    if report.bound:
        _print_bound(report.bound, min(report.processor(OURS)))


def _spread(seconds: list[float]) -> str:
    return f"median {median(seconds):.3f} s, minimum {min(seconds):.3f} s"


def _print_bound(bound: Bound, ours: float) -> None:
    rest = ours - bound.attention_seconds
    print(
        f"  bound: {bound.flops / 1e9:.0f} GFLOP at {bound.rate / 1e9:.0f} GFLOP/s = {bound.seconds:.3f} s of the "
        f"processor; our attention {bound.attention_seconds:.3f} s, the rest {rest:.3f} s: "
        f"{bound.seconds / rest:.0%} of the bound, {bound.seconds / ours:.0%} with attention",
        flush=True,
    )
