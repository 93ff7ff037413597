"""What is measured of one shape, and how it is printed."""

from dataclasses import dataclass, field

from bench.gradient_step.arms import ARMS, OURS


@dataclass
class Report:
    """One shape with one KL coefficient; the dictionaries are by arm, except `tokens` and `bound`."""

    shape: str
    kl: float
    tokens: dict[str, int]
    parity: dict[str, float] = field(default_factory=dict)
    """Relative L2 between an arm's gradient and TRL's."""
    median_s: dict[str, float] = field(default_factory=dict)
    minimum_s: dict[str, float] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    bound: dict[str, float] = field(default_factory=dict)


def print_report(report: Report) -> None:
    """Times, speeds relative to ours, peak memory, and the part of the bound that ours reaches."""
    for name in ARMS:
        memory = f", peak {report.peak_bytes[name] / 2**20:6.0f} MiB" if name in report.peak_bytes else ""
        print(
            f"  {name:<28} median {report.median_s[name]:8.3f} s, minimum {report.minimum_s[name]:8.3f} s, "
            f"ours takes {report.median_s[name] / report.median_s[OURS]:5.2f} times less{memory}"
        )
    bound = report.bound
    print(
        f"  bound: {bound['gflop']:.0f} GFLOP at {bound['gflop_per_s']:.0f} GFLOP/s = {bound['seconds']:.3f} s; "
        f"attention {bound['attention_s']:.3f} s; reached {bound['reached']:.0%} without attention, "
        f"{bound['reached_with_attention']:.0%} with it",
        flush=True,
    )
