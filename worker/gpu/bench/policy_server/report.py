"""What is printed."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.policy_server.clock import SAMPLING, Clock
from bench.policy_server.rounds import Round
from flow_grpo.policy_server.weights import BaseWeights


def machine(threads: int) -> str:
    """Processor, threads and versions, in a line."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "numba"))
    return f"{names[0] if names else platform.processor()}, {threads} threads, fp32; {packages}"


def print_rates(taken: Sequence[Round], ours: str) -> None:
    """A table of the arms, and how many times faster ours is."""
    arms = {one.arm: [other for other in taken if other.arm == one.arm] for one in taken}
    turns = range(len(taken[0].seconds))
    print(f"\n{'arm':22}", *(f"{f'turn {turn + 1}, s':>17}" for turn in turns), f"{'step, s':>17}", "sampled tokens/s")
    print(f"{'':22}", *([f"{'median':>9} {'least':>7}"] * (len(turns) + 1)), "  median    most")
    for arm, rounds in arms.items():
        columns = [[one.seconds[turn] for one in rounds] for turn in turns]
        columns.append([sum(one.seconds) for one in rounds])
        seconds = (f"{median(column):9.2f} {min(column):7.2f}" for column in columns)
        print(f"{arm:22}", *seconds, f"{_rate(rounds):8.1f} {max(one.rate for one in rounds):7.1f}")
    for arm, rounds in arms.items():
        if arm != ours:
            best = max(one.rate for one in arms[ours]) / max(one.rate for one in rounds)
            print(f"{ours} / {arm}: {_rate(arms[ours]) / _rate(rounds):.1f} of the medians, {best:.1f} of the best")


def print_limit(taken: Round, clock: Clock, base: BaseWeights) -> None:
    """Where one more round of the engine went."""
    total = sum(taken.seconds)
    noise = clock.engine[SAMPLING] * clock.noise_share()
    parts = {part: seconds for part, seconds in clock.engine.items() if part != SAMPLING}
    parts |= {"noise": noise, "log-probabilities of what is sampled": clock.engine[SAMPLING] - noise}
    parts["around: scheduling, prefix tree"] = total - sum(clock.engine.values())
    print(f"\nwhere the engine's {total:.2f} s of one more round went ({taken.rate:.1f} sampled tokens/s):")
    for part, seconds in parts.items():
        print(f"  {part:38} {seconds:6.2f} s {seconds / total:6.1%}")
    print(
        f"  {sum(taken.sampled)} tokens sampled, {clock.rows} rows computed; products: {clock.flops / 1e9:.0f} GFLOP, "
        f"{clock.useful_share(base):.0%} of them on rows that were asked for, at "
        f"{clock.product_rate() / 1e9:.0f} GFLOP/s"
    )


def _rate(rounds: Sequence[Round]) -> float:
    return median(one.rate for one in rounds)
