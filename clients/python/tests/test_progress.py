import sys
import types
import warnings

import pytest

from durable_agentflow import progress


def test_where_no_terminal_is_there_are_plain_lines(stub, client, run, capfd):
    done = run | {"status": "completed", "step": 2}
    stub.says(run, run, stub.events(1, 2), stub.events(3, type="run.completed"), done)
    client.runs.get("run-1").wait()
    written = capfd.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == [
        "run-1: 0/2 running",
        "run-1: 1/2 running",
        "run-1: 2/2 running",
        "run-1: 2/2 completed",
    ]


def test_nothing_is_shown_if_nothing_is_asked_for(stub, client, run, capfd):
    stub.says(run, run, stub.events(1, type="run.completed"), run | {"status": "completed"})
    client.runs.get("run-1").wait(progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_has_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    shown = progress.open_progress("run-1", True)
    shown.update(1, 2, "reward 0.500")
    shown.say("The connection is lost.")
    shown.close()
    told = capsys.readouterr().err
    assert "50%" in told
    assert "reward 0.500" in told
    assert "The connection is lost." in told


@pytest.fixture
def notebook(monkeypatch):
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))


def test_a_notebook_without_widgets_has_a_bar_of_text_and_no_warning(notebook, monkeypatch):
    monkeypatch.setattr(progress, "is_installed", lambda module: module == "tqdm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bar = progress.find_tqdm()
    assert bar is not None
    assert bar.__module__ == "tqdm.std"


def test_without_tqdm_there_are_lines_in_a_notebook_as_well(notebook, monkeypatch):
    monkeypatch.setattr(progress, "is_installed", lambda module: False)
    assert isinstance(progress.open_progress("run-1", True), progress.Lines)
