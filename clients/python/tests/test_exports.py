import asyncio
import hashlib
import json
import os
import re

import pytest

from durable_agentflow import ApiUnreachable, AsyncClient, Client, DownloadFailed, NotCompleted, WaitTimeout

MODEL = bytes(n % 253 for n in range(200_000))
FILES = {"manifest.json": b"{}\n", "model.safetensors": MODEL, "added_tokens.json": b""}


def export(status="completed", files=FILES, failure=None):
    told = [{"name": n, "bytes": len(b), "sha256": hashlib.sha256(b).hexdigest()} for n, b in files.items()]
    shown = told if status == "completed" else []
    return {"id": "export-1", "object": "export", "policy": "run-1@2", "status": status, "files": shown} | {
        "failure": failure
    }


class Server:
    """Serves the export and its files, by ranges, as the API does."""

    def __init__(self, stub):
        self.stub = stub
        self.files = dict(FILES)
        self.breaks = []
        """After how many bytes the next answers for the model break."""
        self.ranges = []
        self.ignores_range = False
        self.offset = 0
        stub.otherwise = self.answer

    def answer(self, received):
        if "/files/" not in received.path:
            return self.stub.json(export())
        assert received.headers["Accept-Encoding"] == "identity"
        name = received.path.rsplit("/", 1)[1]
        body = self.files[name]
        asked = re.match(r"bytes=(\d+)-", received.headers.get("Range", ""))
        reply = self.stub.stream("")
        if asked and not self.ignores_range:
            begin = int(asked[1]) + self.offset
            assert received.headers["If-Range"] == f'"{hashlib.sha256(FILES[name]).hexdigest()}"'
            reply.status, body = 206, body[begin:]
            reply.headers["Content-Range"] = f"bytes {begin}-{len(FILES[name]) - 1}/{len(FILES[name])}"
        if name == "model.safetensors":
            self.ranges.append(received.headers.get("Range"))
            if self.breaks:
                body, reply.cut = body[: self.breaks.pop(0)], True
        reply.body = body
        return reply


@pytest.fixture
def server(stub):
    return Server(stub)


@pytest.fixture
def gathering(tmp_path):
    path = tmp_path / ".planner.export-1"
    path.mkdir()
    return path


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def download(client, to):
    return client.exports.get("export-1").download(to, progress=False)


def test_it_is_created_awaited_listed_and_ended(stub, client, monkeypatch, capsys):
    monkeypatch.setattr("durable_agentflow._sync.exports.POLL_S", 0.001)
    stub.says(export("queued"), export("running"), export())
    made = client.policies.export("run-1@2", merged=True).wait(timeout=60)
    assert (made.status, made.policy, len(made.files)) == ("completed", "run-1@2", 3)
    assert stub.received[0].path == "/v1/policies/run-1%402/export"
    assert json.loads(stub.received[0].body) == {"merged": True}
    assert "files, running" in capsys.readouterr().err
    stub.says(stub.page(export()), export("cancelled"), {})
    (found,) = client.exports.list(policy="run-1@2")
    assert found.cancel().status == "cancelled"
    found.delete()
    assert [received.path for received in stub.received[-2:]] == ["/v1/exports/export-1/cancel", "/v1/exports/export-1"]


def test_one_that_failed_or_lasts_is_told(stub, client, tmp_path):
    failed = export("failed", failure={"type": "DiskFull", "message": "there is no room"})
    stub.otherwise = lambda received: stub.json(failed)
    with pytest.raises(NotCompleted, match=r"export-1 is failed\. DiskFull: there is no room"):
        client.exports.get("export-1").wait(progress=False)
    with pytest.raises(NotCompleted, match="is failed"):
        download(client, tmp_path / "planner")
    stub.otherwise = lambda received: stub.json(export("running"))
    with pytest.raises(WaitTimeout, match="It goes on"):
        client.exports.get("export-1").wait(timeout=0, progress=False)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_connection_that_breaks_is_made_again_where_it_broke(server, stub, client, tmp_path, is_async):
    server.breaks = [70_000, 30_000]
    to = tmp_path / "planner"
    to.mkdir()

    async def fetch():
        async with AsyncClient(stub.url, "k") as other:
            return await (await other.exports.get("export-1")).download(to)

    assert (asyncio.run(fetch()) if is_async else download(client, to)) == to
    assert contents(to) == FILES
    assert server.ranges == [None, "bytes=70000-", "bytes=100000-"]
    assert os.listdir(tmp_path) == ["planner"]
    assert to.stat().st_mode & 0o777 == 0o700
    with pytest.raises(DownloadFailed, match="not an empty directory"):
        download(client, to)


def test_another_call_goes_on_where_one_gave_up(server, client, tmp_path):
    server.breaks = [70_000, 0, 0, 0, 0]
    with pytest.raises(ApiUnreachable):
        download(client, tmp_path / "planner")
    assert os.listdir(tmp_path) == [".planner.export-1"]
    download(client, tmp_path / "planner")
    assert server.ranges[-1] == "bytes=70000-"
    assert contents(tmp_path / "planner") == FILES


def test_a_whole_file_is_not_appended_and_another_part_is_refused(server, client, tmp_path, gathering):
    (gathering / "model.safetensors").write_bytes(MODEL[:70_000])
    server.offset = 5
    with pytest.raises(DownloadFailed, match="another part was sent"):
        download(client, tmp_path / "planner")
    server.ignores_range = True
    download(client, tmp_path / "planner")
    assert contents(tmp_path / "planner") == FILES


@pytest.mark.parametrize("left", [bytes(70_000), bytes(300_000)])
def test_what_is_left_of_another_file_is_fetched_anew(server, client, tmp_path, gathering, left):
    (gathering / "model.safetensors").write_bytes(left)
    download(client, tmp_path / "planner")
    assert contents(tmp_path / "planner") == FILES


@pytest.mark.parametrize("wrong", [b"x" + MODEL[1:], MODEL[:150_000], MODEL * 2])
def test_a_file_that_always_arrives_altered_short_or_long_is_refused(server, client, tmp_path, wrong):
    server.files["model.safetensors"] = wrong
    with pytest.raises(DownloadFailed, match="arrived 2 times with another sha256"):
        download(client, tmp_path / "planner")
    assert not (tmp_path / "planner").exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda path, victim: path.symlink_to(victim),
        lambda path, victim: path.symlink_to(victim.with_name("nothing")),
        lambda path, victim: path.hardlink_to(victim),
        lambda path, victim: path.mkdir(),
        lambda path, victim: os.mkfifo(path),
    ],
)
def test_only_a_plain_file_is_written(server, client, tmp_path, gathering, make):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    make(gathering / "manifest.json", victim)
    with pytest.raises(DownloadFailed, match=r"manifest\.json is not a plain file of yours: remove it"):
        download(client, tmp_path / "planner")
    assert victim.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == [".planner.export-1", "victim"]


def test_the_directory_is_no_link_and_has_nothing_else(server, client, tmp_path, gathering):
    (gathering / "modeling.py").touch()
    with pytest.raises(DownloadFailed, match=r"modeling\.py is no file of export-1: remove it"):
        download(client, tmp_path / "planner")
    (gathering / "modeling.py").unlink()
    gathering.rename(tmp_path / "elsewhere")
    gathering.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DownloadFailed, match="is not a directory of yours"):
        download(client, tmp_path / "planner")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_another_download_is_not_written_into(server, stub, client, tmp_path):
    usual = server.answer
    met = []

    def meanwhile(received):
        if received.path.endswith("/manifest.json") and not met:
            met.append("other")
            with Client(stub.url, "k") as other, pytest.raises(DownloadFailed, match="Another download is writing"):
                download(other, tmp_path / "planner")
            met.append("refused")
        return usual(received)

    stub.otherwise = meanwhile
    download(client, tmp_path / "planner")
    assert met == ["other", "refused"]
    assert contents(tmp_path / "planner") == FILES


@pytest.mark.parametrize("name", ["../stolen", "..", "/tmp/stolen", ""])
def test_nothing_is_written_elsewhere_whatever_a_file_is_called(stub, client, tmp_path, name):
    stub.otherwise = lambda received: stub.json(export(files={name: b"x"}))
    with pytest.raises(DownloadFailed, match="which is not the name of one"):
        download(client, tmp_path / "planner")
    assert os.listdir(tmp_path) == []


def test_a_strange_place_is_refused(server, client, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for place, words in [
        ("a/b", "a is not a directory"),
        ("file/x", "file is not a directory"),
        ("link", "not an empty"),
    ]:
        with pytest.raises(DownloadFailed, match=words):
            download(client, tmp_path / place)
    with pytest.raises(OSError, match="too long"):
        download(client, tmp_path / ("x" * 250))
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]
