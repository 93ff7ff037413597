import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/python.md"

SMALL = """
model: smollm2-135m-instruct
steps: 1
flow: { max_turns: 1, planner: { engine: policy, max_tokens: 8 } }
training: { queries_per_step: 1, group_size: 4 }
evaluation: { questions: 2, yardsticks: false }
"""


def test_the_blocks_of_the_document_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """As a notebook runs its cells, on a smaller run and with fewer questions."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/quickstart.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        run_cell(block.replace('"questions": 20', '"questions": 2'), names)
    said = capsys.readouterr().out
    assert len(blocks) == 9
    # How the four rollouts ended is not the document's matter: that each is shown with its reward and advantage is.
    shown = r"^What .+\? (?:answered|budget_spent|unparsable_plan) [\d.]+ -?[\d.]+$"
    assert len(re.findall(shown, said, re.MULTILINE)) == 4
    for part in ("base ", "stepz ", "run.completed"):
        assert part in said


def run_cell(source: str, names: dict[str, object]) -> None:
    code = compile(source, str(DOCUMENT), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.iscoroutine(result):
        asyncio.run(result)
