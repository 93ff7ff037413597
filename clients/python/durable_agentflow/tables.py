"""Lists of the API as data frames."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


def to_frame(rows: Sequence[Mapping[str, Any]]) -> "pandas.DataFrame":
    """One row each. `metrics` become a column each, by their own names; times are times in UTC. Raises ImportError."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_pandas() needs pandas: pip install 'durable-agentflow[pandas]'") from error
    frame = pandas.DataFrame([flat(row) for row in rows])
    for name in frame.columns:
        if name.endswith("_at"):
            frame[name] = pandas.to_datetime(frame[name], format="ISO8601", utc=True)
    return frame


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A metric that has the name of another field is `metrics.<name>`."""
    metrics = row.get("metrics")
    if not isinstance(metrics, Mapping):
        return dict(row)
    rest = {name: value for name, value in row.items() if name != "metrics"}
    return rest | {f"metrics.{name}" if name in rest else name: value for name, value in metrics.items()}
