"""Draw what `npm run experiment:paper` found.

docs/experiments-paper.svg is held-out accuracy by question family, untrained and after each way of training;
docs/experiments-tools.svg is which tools the planner calls while it learns.

Reads docs/experiments/seed-*.json. The same files give the same bytes.

Run with `npm run figure:paper`.
"""

import json
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib

matplotlib.use("svg")
# Element ids come from this salt and the file carries no date: equal input, equal bytes.
matplotlib.rcParams["svg.hashsalt"] = "agentflow"
NO_METADATA = {"Date": None, "Creator": None}

from matplotlib import pyplot as plt  # noqa: E402 - the backend has to be chosen first
from matplotlib.axes import Axes  # noqa: E402

DOCS = Path(__file__).resolve().parent.parent
RESULTS = DOCS / "experiments"
ACCURACY_FIGURE = "experiments-paper.svg"
TOOLS_FIGURE = "experiments-tools.svg"

WIDTH_IN, HEIGHT_IN = 7.0, 3.6
UNTRAINED_COLOUR = "0.7"

Measured = dict[str, Any]


def read_seeds(directory: Path) -> list[dict[str, Any]]:
    """What each seed came to. Raises FileNotFoundError when there is nothing."""
    seeds = [json.loads(path.read_text()) for path in sorted(directory.glob("seed-*.json"))]
    if not seeds:
        raise FileNotFoundError(f"no seed-*.json in {directory}; `npm run experiment:paper` writes them")
    return seeds


def planners_of(seeds: list[dict[str, Any]]) -> dict[str, list[Measured]]:
    """What was measured of each planner, one entry per seed."""
    planners = {"untrained": [next(iter(seed["arms"].values()))["before"] for seed in seeds]}
    for name in seeds[0]["arms"]:
        planners[name] = [seed["arms"][name]["after"] for seed in seeds if name in seed["arms"]]
    return planners


def draw_accuracy(axes: Axes, planners: dict[str, list[Measured]]) -> None:
    """A group of bars per question family and one for all; a bar is the mean over seeds, a dot is one seed."""
    families = ["all", *next(iter(planners.values()))[0]["by_family"]]
    width = 0.8 / len(planners)
    for place, (name, seeds) in enumerate(planners.items()):
        values = [[accuracy(measured, family) for measured in seeds] for family in families]
        at = [group + (place - (len(planners) - 1) / 2) * width for group in range(len(families))]
        colour = UNTRAINED_COLOUR if name == "untrained" else f"C{place - 1}"
        axes.bar(at, [mean(found) for found in values], width, label=name, color=colour)
        for x, found in zip(at, values, strict=True):
            axes.scatter([x] * len(found), found, s=8, color="black", zorder=3)
    axes.set(ylabel="held-out accuracy", ylim=(0, 1.05))
    axes.set_xticks(range(len(families)), families)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=len(planners), loc="lower center", bbox_to_anchor=(0.5, 1), fontsize="small")


def accuracy(measured: Measured, family: str) -> float:
    """Share of right answers in a question family, or in `all`."""
    return measured["accuracy"] if family == "all" else measured["by_family"][family]["accuracy"]


def draw_tools(axes: Axes, arm: dict[str, Any], name: str) -> None:
    """Share of each tool among the calls of a step's rollouts."""
    steps = arm["toolMix"]
    for tool in sorted({tool for step in steps for tool in step}):
        shares = [step.get(tool, 0) / sum(step.values()) for step in steps]
        axes.plot(range(1, len(steps) + 1), shares, label="unreadable plan" if tool == "none" else tool)
    axes.set(title=name, xlabel="training step", ylim=(0, 1))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)


def main(directory: Path = DOCS) -> int:
    """Write the figures to `directory`. Returns the exit code: 1 when there is nothing to draw."""
    try:
        seeds = read_seeds(RESULTS)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    figure, axes = plt.subplots(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    draw_accuracy(axes, planners_of(seeds))
    figure.savefig(directory / ACCURACY_FIGURE, metadata=NO_METADATA)
    arms = {name: arm for name, arm in seeds[0]["arms"].items() if arm["toolMix"]}
    figure, columns = plt.subplots(
        1, len(arms), figsize=(WIDTH_IN, HEIGHT_IN), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, (name, arm) in zip(columns[0], arms.items(), strict=True):
        draw_tools(axes, arm, name)
    columns[0][0].set(ylabel="share of tool calls")
    columns[0][0].legend(frameon=False, fontsize="small")
    figure.savefig(directory / TOOLS_FIGURE, metadata=NO_METADATA)
    print(directory / ACCURACY_FIGURE, directory / TOOLS_FIGURE, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
