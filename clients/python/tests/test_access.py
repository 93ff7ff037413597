import json

import pytest

from durable_agentflow import NoApiKey
from durable_agentflow.access import locate

FILE = {"url": "http://127.0.0.1:8400", "key": "af-file"}


@pytest.fixture
def stack(tmp_path):
    (tmp_path / ".agentflow").mkdir()
    (tmp_path / ".agentflow/api.json").write_text(json.dumps(FILE))
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_the_local_stack_is_found_from_a_directory_below(stack):
    found = locate(env={}, start=stack / "notebooks")
    assert (found.url, found.key) == ("http://127.0.0.1:8400", "af-file")


def test_arguments_come_before_the_environment_and_that_before_the_file(stack):
    env = {"AGENTFLOW_API_KEY": "af-env", "AGENTFLOW_API_URL": "https://agentflow.test/"}
    assert locate(key="af-given", env=env, start=stack).key == "af-given"
    found = locate(env=env, start=stack)
    assert (found.url, found.key) == ("https://agentflow.test", "af-env")
    assert locate(env={"AGENTFLOW_API_KEY": "af-env"}, start=stack).url == FILE["url"]


def test_the_data_directory_may_lie_elsewhere(stack, tmp_path_factory):
    env = {"AGENTFLOW_DATA": str(stack / ".agentflow")}
    assert locate(env=env, start=tmp_path_factory.mktemp("other")).key == "af-file"


@pytest.mark.parametrize("content", ["", "[]", '{"url": 1}', None])
def test_without_a_file_that_can_be_used_the_error_says_what_to_do(tmp_path, content):
    data = tmp_path / "data"
    data.mkdir()
    if content is not None:
        (data / "api.json").write_text(content)
    with pytest.raises(NoApiKey, match=r"npm run up.*AGENTFLOW_API_KEY"):
        locate(env={"AGENTFLOW_DATA": str(data)}, start=tmp_path)


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:1", True), ("http://[::1]:1", True), ("http://localhost", True), ("https://a.test", False)],
)
def test_what_is_on_this_machine(url, local):
    assert locate(url, "k", env={}).is_local is local
