"""Draw docs/experiments-turns.svg: accuracy against the turn budget, one line per policy, with 95 % intervals.

Reads docs/experiments/turn-budgets.json, the object that `agentflow eval --max-turns 1,2,3,5,10 --json` prints on its
last line. The same file gives the same bytes.

Run with `npm run figure:turns`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
# Element ids come from this salt and the file carries no date: equal input, equal bytes.
matplotlib.rcParams["svg.hashsalt"] = "agentflow"
NO_METADATA = {"Date": None, "Creator": None}

from matplotlib import pyplot as plt  # noqa: E402 - the backend has to be chosen first
from matplotlib.axes import Axes  # noqa: E402

DOCS = Path(__file__).resolve().parent.parent
EVALUATION = DOCS / "experiments" / "turn-budgets.json"
FIGURE = "experiments-turns.svg"

WIDTH_IN, HEIGHT_IN = 7.0, 3.4

Cell = dict[str, Any]


def draw(axes: Axes, cells: list[Cell]) -> None:
    """A line per policy over the turn budgets; a bar is the accuracy's 95 % interval."""
    budgets = sorted({cell["max_turns"] for cell in cells})
    for policy in dict.fromkeys(cell["policy"] for cell in cells):
        line = sorted((cell for cell in cells if cell["policy"] == policy), key=lambda cell: cell["max_turns"])
        values = [cell["accuracy"]["value"] for cell in line]
        low, high = zip(*(cell["accuracy"]["interval"] for cell in line), strict=True)
        below = [value - bound for value, bound in zip(values, low, strict=True)]
        above = [bound - value for value, bound in zip(values, high, strict=True)]
        places = [budgets.index(cell["max_turns"]) for cell in line]
        label = "untrained" if policy == "base" else f"after step {policy.rpartition('@')[2]}"
        axes.errorbar(places, values, yerr=[below, above], marker="o", capsize=3, label=label)
    axes.set_xticks(range(len(budgets)), [str(budget) for budget in budgets])
    axes.set(xlabel="turns at most", ylabel="held-out accuracy", ylim=(0, 1.05))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")


def main(directory: Path = DOCS) -> int:
    """Write the figure to `directory`. Returns the exit code: 1 when there is nothing to draw."""
    if not EVALUATION.exists():
        print(f"{EVALUATION} is missing: write there what `agentflow eval --json` printed last.", file=sys.stderr)
        return 1
    figure, axes = plt.subplots(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    draw(axes, json.loads(EVALUATION.read_text())["report"]["cells"])
    figure.savefig(directory / FIGURE, metadata=NO_METADATA)
    print(directory / FIGURE)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
