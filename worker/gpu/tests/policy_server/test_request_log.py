"""The request log: a line is whole or absent, whatever the disk does, and the log has a bound."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_grpo.policy_server import request_log
from flow_grpo.policy_server.request_log import RequestLog

ROOT = Path(__file__).parents[2]


def append(log: RequestLog, flow: str = "run/1/0/0") -> None:
    log.append("run@0", "a" * 64, flow, 1, 7, 12)


def flows(path: Path) -> list[str]:
    return [json.loads(line)["flow_id"] for line in path.read_text().splitlines()]


# The kernel writes up to the limit and no further: a short write, as on a disk that fills up in the middle of a line.
_WITH_LITTLE_SPACE = """
import resource, sys
from pathlib import Path
from flow_grpo.policy_server.request_log import RequestLog
path, limit = Path(sys.argv[1]), int(sys.argv[2])
log = RequestLog(path)
served = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for number in range(40):
    try:
        log.append("run@0", "a" * 64, f"flow-{number}", 1, 7, 12)
        served += 1
    except OSError:
        pass
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append("run@0", "a" * 64, "after", 1, 7, 12)
print(served)
"""


@pytest.mark.parametrize("limit", [1, 250, 1000, 1001, 1777])
def test_a_line_that_the_disk_takes_in_part_is_not_there_and_its_request_not_served(tmp_path: Path, limit: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    path = tmp_path / "requests.jsonl"
    ended = subprocess.run(
        [sys.executable, "-c", _WITH_LITTLE_SPACE, str(path), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    served = int(ended.stdout)
    assert flows(path) == [f"flow-{number}" for number in range(served)] + ["after"]
    lengths = [len(line) for line in path.read_bytes().splitlines(keepends=True)]
    assert sum(lengths[:-1]) <= limit < sum(lengths[:-1]) + lengths[0] + 1
    assert served < 40


def test_a_log_that_a_crash_left_with_half_a_line_goes_on_with_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    append(RequestLog(path), "first")
    with path.open("a") as file:
        file.write('{"time": "20')
    append(RequestLog(path), "second")
    assert flows(path) == ["first", "second"]


@given(sizes=st.lists(st.integers(0, 300), max_size=60))
def test_a_full_file_is_set_aside_and_the_oldest_of_them_goes(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    directory = tmp_path_factory.mktemp("log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_log, "FILE_BYTES", 1000)
        log = RequestLog(directory / "requests.jsonl")
        written = [f"{number}-{'x' * size}" for number, size in enumerate(sizes)]
        for flow in written:
            append(log, flow)
        log.close()
    aside = [directory / f"requests.jsonl.{number}" for number in range(request_log.FILES_KEPT + 5, 0, -1)]
    files = [file for file in (*aside, directory / "requests.jsonl") if file.exists()]
    kept = [flow for file in files for flow in flows(file)]
    assert kept == written[len(written) - len(kept) :]
    assert len(files) <= 1 + request_log.FILES_KEPT
    assert all(file.stat().st_size <= 1000 for file in files)
    if len(files) <= request_log.FILES_KEPT:
        assert kept == written
