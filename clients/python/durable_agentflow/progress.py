"""How far something is, shown where somebody can see it: a widget, a bar in a terminal, or lines."""

import importlib.util
import sys
from collections.abc import Callable
from typing import Any, Protocol


class Progress(Protocol):
    def update(self, done: int, total: int | None, note: str) -> None: ...
    def say(self, line: str) -> None: ...
    def close(self) -> None: ...


class Silent:
    def update(self, done: int, total: int | None, note: str) -> None: ...
    def say(self, line: str) -> None: ...
    def close(self) -> None: ...


class Lines:
    """A line for each change: in files and pipes a bar would leave its control characters."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.last: tuple[int, int | None, str] | None = None

    def update(self, done: int, total: int | None, note: str) -> None:
        if (done, total, note) != self.last:
            self.last = (done, total, note)
            count = f"{done}" if total is None else f"{done}/{total}"
            self.say(f"{self.label}: {count} {note}".rstrip())

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def close(self) -> None: ...


class Bar:
    def __init__(self, tqdm: Callable[..., Any], label: str) -> None:
        self.bar = tqdm(desc=label, dynamic_ncols=True)

    def update(self, done: int, total: int | None, note: str) -> None:
        self.bar.total = total
        self.bar.n = done
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.refresh()

    def say(self, line: str) -> None:
        self.bar.write(line, file=sys.stderr)

    def close(self) -> None:
        self.bar.close()


def open_progress(label: str, shown: bool) -> Progress:
    if not shown:
        return Silent()
    tqdm = find_tqdm()
    return Lines(label) if tqdm is None else Bar(tqdm, label)


def find_tqdm() -> Callable[..., Any] | None:
    """The bar that works here, or None. `tqdm.auto` warns or fails in a notebook without ipywidgets."""
    if not is_installed("tqdm"):
        return None
    if in_notebook() and is_installed("ipywidgets"):
        from tqdm.notebook import tqdm as notebook_bar

        return notebook_bar
    if in_notebook() or sys.stderr.isatty():
        from tqdm import tqdm as text_bar

        return text_bar
    return None


def in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config


def is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
