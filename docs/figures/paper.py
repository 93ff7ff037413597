"""Draw docs/experiments-paper.svg: held-out accuracy by question family, untrained and after each way of training.

Reads docs/experiments/seed-*.json, which `npm run experiment:paper` writes. The same files give the same bytes.

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
FIGURE = DOCS / "experiments-paper.svg"

WIDTH_IN, HEIGHT_IN = 7.0, 3.6
UNTRAINED_COLOUR = "0.7"

Measured = dict[str, Any]


def read_planners(directory: Path) -> dict[str, list[Measured]]:
    """What was measured of each planner, one entry per seed. Raises FileNotFoundError when there is nothing."""
    seeds = [json.loads(path.read_text()) for path in sorted(directory.glob("seed-*.json"))]
    if not seeds:
        raise FileNotFoundError(f"no seed-*.json in {directory}; `npm run experiment:paper` writes them")
    planners = {"untrained": [next(iter(seed["arms"].values()))["before"] for seed in seeds]}
    for name in seeds[0]["arms"]:
        planners[name] = [seed["arms"][name]["after"] for seed in seeds if name in seed["arms"]]
    return planners


def draw(axes: Axes, planners: dict[str, list[Measured]]) -> None:
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


def main() -> int:
    """Write the figure. Returns the exit code: 1 when there is nothing to draw."""
    try:
        planners = read_planners(RESULTS)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    figure, axes = plt.subplots(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    draw(axes, planners)
    figure.savefig(FIGURE, metadata=NO_METADATA)
    print(FIGURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
