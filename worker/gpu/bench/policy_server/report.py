"""What is printed."""

import platform
from collections.abc import Callable, Iterable, Sequence
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
    titles = [f"turn {turn + 1}, s" for turn in turns] + ["step, s", "tokens/s", "tokens/processor s"]
    print(f"\n{len(taken) // len(arms)} rounds{'':13}", *(f"{title:>19}" for title in titles))
    print(f"{'':21}", *[f"{'median':>12} {'best':>6}"] * len(titles))
    for arm, rounds in arms.items():
        least = [[one.seconds[turn] for one in rounds] for turn in turns] + [[sum(one.seconds) for one in rounds]]
        most = [[one.rate for one in rounds], [one.processor_rate for one in rounds]]
        cells = [(median(column), min(column)) for column in least] + [(median(column), max(column)) for column in most]
        print(f"{arm:21}", *(f"{middle:12.1f} {best:6.1f}" for middle, best in cells))
    for arm, rounds in arms.items():
        if arm != ours:
            print(f"{ours} / {arm}: {_ratios(arms[ours], rounds)}")


def _ratios(ours: Sequence[Round], others: Sequence[Round]) -> str:
    def ratio(statistic: Callable[[Iterable[float]], float], rate: Callable[[Round], float]) -> float:
        return statistic(map(rate, ours)) / statistic(map(rate, others))

    wall, processor = (lambda one: one.rate), (lambda one: one.processor_rate)
    return (
        f"{ratio(median, wall):.1f} times the sampled tokens per second (medians; best rounds {ratio(max, wall):.1f}), "
        f"{ratio(median, processor):.1f} times per second of processor"
    )


def print_limit(taken: Round, clock: Clock, base: BaseWeights) -> None:
    """Where a round of the engine went."""
    total = sum(taken.seconds)
    noise = clock.engine[SAMPLING] * clock.noise_share()
    parts = {f"model: {part}": seconds for part, seconds in clock.engine.items() if part != SAMPLING}
    parts["noise, and its argmax"] = noise
    parts["log-probabilities of what is sampled"] = clock.engine[SAMPLING] - noise
    parts["around: scheduling, prefix tree"] = total - sum(clock.engine.values())
    print(f"\nthe engine's own limit: a round of {total:.2f} s, {taken.rate:.1f} sampled tokens/s")
    for part, seconds in parts.items():
        print(f"  {part:42} {seconds:6.2f} s {seconds / total:6.1%}")
    print(
        f"  {sum(taken.sampled)} tokens sampled, {clock.rows} rows computed; products: {clock.flops / 1e9:.0f} GFLOP "
        f"at {clock.product_rate() / 1e9:.0f} GFLOP/s, {clock.useful_share(base):.0%} of them no padding"
    )
