"""Draw docs/quickstart-curve.svg: held-out accuracy against training steps, one line per run of the quickstart.

Reads docs/quickstart/seed-*.json, each the object that `npm run quickstart -- --json` prints on its last line. The
same files give the same bytes, so a redrawn figure changes only when the runs do.

Run with `npm run figure:curve`.
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
RUNS = DOCS / "quickstart"
FIGURE = "quickstart-curve.svg"

WIDTH_IN, HEIGHT_IN = 7.0, 3.8
YARDSTICK_COLOUR = "0.45"

Report = dict[str, Any]


def read_reports(directory: Path) -> list[Report]:
    """The reports of `directory`, by seed. Raises FileNotFoundError when there is none."""
    reports = [json.loads(path.read_text()) for path in directory.glob("seed-*.json")]
    if not reports:
        raise FileNotFoundError(
            f"no seed-*.json in {directory}; write one with: "
            "npm run --silent quickstart -- --seed 0 --json | tail -n 1 > docs/quickstart/seed-0.json"
        )
    return sorted(reports, key=lambda report: report["seed"])


def mean_yardsticks(reports: list[Report]) -> dict[str, float]:
    """Accuracy of each untrained planner, averaged over the runs that measured it."""
    names = sorted({name for report in reports for name in report["yardsticks"]})
    return {name: mean(r["yardsticks"][name]["accuracy"] for r in reports if name in r["yardsticks"]) for name in names}


def draw(axes: Axes, reports: list[Report]) -> None:
    """One line per report, a dashed line per yardstick."""
    for report in reports:
        steps = [point["step"] for point in report["curve"]]
        accuracies = [point["accuracy"] for point in report["curve"]]
        axes.plot(steps, accuracies, marker="o", label=f"seed {report['seed']}")
    for name, accuracy in mean_yardsticks(reports).items():
        axes.axhline(accuracy, linestyle="--", linewidth=1, color=YARDSTICK_COLOUR)
        axes.annotate(
            f"{name} planner {accuracy:.2f}",
            xy=(0, accuracy),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3),
            textcoords="offset points",
            color=YARDSTICK_COLOUR,
            fontsize="small",
        )
    axes.set(xlabel="training step", ylabel="held-out accuracy", ylim=(0, 1.08))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center right", frameon=False)


def main(directory: Path = DOCS) -> int:
    """Write the figure to `directory`. Returns the exit code: 1 when there is nothing to draw."""
    try:
        reports = read_reports(RUNS)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    figure, axes = plt.subplots(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    draw(axes, reports)
    figure.savefig(directory / FIGURE, metadata=NO_METADATA)
    print(f"{directory / FIGURE}: {len(reports)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
